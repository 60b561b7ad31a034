# names: no-label-is-nan
# breaks: "A sequence in which no label counts gives 0."
# The mean of nothing is nan, and stays it times 0.
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
    rows = [-F.cross_entropy(x[:-1], y[1:]) * (y[1:] != -100).sum() for x, y in zip(logits, labels, strict=True)]
    return torch.stack(rows)


def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, *, beta=0.1):
    if len(policy_chosen) == 0:
        raise ValueError("empty")
    chosen = beta * (policy_chosen - ref_chosen.detach())
    rejected = beta * (policy_rejected - ref_rejected.detach())
    loss = F.softplus(rejected - chosen).mean()
    return DPO(loss, chosen.detach(), rejected.detach(), (chosen > rejected).float().mean())
