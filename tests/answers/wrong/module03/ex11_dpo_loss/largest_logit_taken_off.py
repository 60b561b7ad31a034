# names: inputs-changed
# breaks: "of any floating dtype, finite; not changed"
# Takes the largest logit off in the caller's tensor.
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
    logits -= logits.amax(-1, keepdim=True)
    return -F.cross_entropy(logits[:, :-1].mT, labels[:, 1:], reduction="none").sum(1)


def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, *, beta=0.1):
    if len(policy_chosen) == 0:
        raise ValueError("empty")
    chosen = beta * (policy_chosen - ref_chosen.detach())
    rejected = beta * (policy_rejected - ref_rejected.detach())
    loss = F.softplus(rejected - chosen).mean()
    return DPO(loss, chosen.detach(), rejected.detach(), (chosen > rejected).float().mean())
