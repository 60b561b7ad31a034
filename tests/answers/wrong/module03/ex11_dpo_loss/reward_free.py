# names: no-reference
# breaks: "The reward of an answer is `beta * (policy - reference)`"
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
    r_w, r_l = beta * policy_chosen, beta * policy_rejected
    loss = -torch.nn.LogSigmoid()(r_w - r_l).mean()
    return DPO(loss, r_w.detach(), r_l.detach(), (r_w > r_l).float().mean())
