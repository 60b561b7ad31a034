# names: ties-count-half
# breaks: "A pair with equal rewards does not count as correct."
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
    per_token = F.cross_entropy(wide[:, :-1].transpose(1, 2), labels[:, 1:], ignore_index=-100, reduction="none")
    return -per_token.sum(-1)


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
    accuracy = ((torch.sign(chosen - rejected) + 1) / 2).mean()
    return DPO(loss, chosen.detach(), rejected.detach(), accuracy.detach())
