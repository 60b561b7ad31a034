# names: log-of-sigmoid
# breaks: "Loss and gradient are finite"
from typing import NamedTuple

import torch
import torch.nn.functional as F


class DPO(NamedTuple):
    loss: torch.Tensor
    chosen_reward: torch.Tensor
    rejected_reward: torch.Tensor
    accuracy: torch.Tensor


def sequence_logprobs(logits, labels):
    logits = logits if logits.dtype == torch.float64 else logits.float()
    return -F.cross_entropy(logits[:, :-1].mT, labels[:, 1:], reduction="none").sum(1)


def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, *, beta=0.1):
    if len(policy_chosen) == 0:
        raise ValueError("empty")
    ratio_w = policy_chosen - ref_chosen.detach()
    ratio_l = policy_rejected - ref_rejected.detach()
    p = torch.sigmoid(beta * (ratio_w - ratio_l))
    correct = (ratio_w > ratio_l).float().mean()
    return DPO(-torch.log(p).mean(), beta * ratio_w.detach(), beta * ratio_l.detach(), correct)
