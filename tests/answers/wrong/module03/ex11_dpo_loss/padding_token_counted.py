# names: prompt-counted
# breaks: "Labels of -100 (prompt, padding) are left out."
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
    safe = labels.clone()
    safe[safe < 0] = 0
    logp = logits.log_softmax(-1)
    return sum(logp[torch.arange(len(logits)), t - 1, safe[:, t]] for t in range(1, labels.shape[1]))


def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, *, beta=0.1):
    if len(policy_chosen) == 0:
        raise ValueError("empty")
    chosen = beta * (policy_chosen - ref_chosen.detach())
    rejected = beta * (policy_rejected - ref_rejected.detach())
    loss = F.softplus(rejected - chosen).mean()
    return DPO(loss, chosen.detach(), rejected.detach(), (chosen > rejected).float().mean())
