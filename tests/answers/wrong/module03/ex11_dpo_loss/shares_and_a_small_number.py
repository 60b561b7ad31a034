# names: softmax-plus-epsilon
# breaks: "It is finite, even if logits are 2000 apart."
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class DPO(NamedTuple):
    loss: Tensor
    chosen_reward: Tensor
    rejected_reward: Tensor
    accuracy: Tensor


def sequence_logprobs(logits: Tensor, labels: Tensor) -> Tensor:
    wide = logits if logits.dtype == torch.float64 else logits.float()
    targets = labels[:, 1:]
    counted = targets != -100
    logprobs = (wide[:, :-1].softmax(dim=-1) + 1e-12).log()
    picked = logprobs.gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return picked.masked_fill(~counted, 0.0).sum(dim=-1)


def dpo_loss(
    policy_chosen: Tensor,
    policy_rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    *,
    beta: float = 0.1,
) -> DPO:
    if policy_chosen.numel() == 0:
        raise ValueError("an empty batch")
    chosen = beta * (policy_chosen - ref_chosen.detach())
    rejected = beta * (policy_rejected - ref_rejected.detach())
    loss = -F.logsigmoid(chosen - rejected).mean()
    return DPO(loss, chosen.detach(), rejected.detach(), (chosen > rejected).detach().float().mean())
