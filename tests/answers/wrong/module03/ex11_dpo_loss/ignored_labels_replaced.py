# names: inputs-changed
# breaks: "or -100; not changed"
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
    counts = labels[:, 1:] != -100
    labels[labels == -100] = 0
    picked = logits[:, :-1].log_softmax(-1).gather(-1, labels[:, 1:, None]).squeeze(-1)
    return (picked * counts).sum(1)


def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, *, beta=0.1):
    if len(policy_chosen) == 0:
        raise ValueError("empty")
    chosen = beta * (policy_chosen - ref_chosen.detach())
    rejected = beta * (policy_rejected - ref_rejected.detach())
    loss = F.softplus(rejected - chosen).mean()
    return DPO(loss, chosen.detach(), rejected.detach(), (chosen > rejected).float().mean())
