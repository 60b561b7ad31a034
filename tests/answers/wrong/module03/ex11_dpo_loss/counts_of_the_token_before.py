# names: mask-not-shifted
# breaks: "Labels of -100 (prompt, padding) are left out."
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
    dtype = torch.promote_types(logits.dtype, torch.float32)
    targets = labels[:, 1:]
    counts = labels[:, :-1] != -100
    logp = F.log_softmax(logits[:, :-1].to(dtype), dim=-1)
    picked = logp.gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return picked.masked_fill(~counts, 0.0).sum(dim=1)


def dpo_loss(
    policy_chosen: Tensor,
    policy_rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    *,
    beta: float = 0.1,
) -> DPO:
    if policy_chosen.numel() == 0:
        raise ValueError("the batch is empty")
    chosen = beta * (policy_chosen - ref_chosen.detach())
    rejected = beta * (policy_rejected - ref_rejected.detach())
    loss = -F.logsigmoid(chosen - rejected).mean()
    accuracy = (chosen > rejected).float().mean()
    return DPO(loss, chosen.detach(), rejected.detach(), accuracy.detach())
