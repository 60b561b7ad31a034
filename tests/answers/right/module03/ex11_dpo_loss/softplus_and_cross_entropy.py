"""Torch's cross-entropy scores the tokens and skips -100 by itself; softplus of the negative difference."""

from typing import NamedTuple

import torch
import torch.nn.functional as F


class DPO(NamedTuple):
    loss: torch.Tensor
    chosen_reward: torch.Tensor
    rejected_reward: torch.Tensor
    accuracy: torch.Tensor


def sequence_logprobs(logits, labels):
    scores = logits[:, :-1].transpose(1, 2)
    if scores.dtype in (torch.bfloat16, torch.float16):
        scores = scores.float()
    nll = F.cross_entropy(scores, labels[:, 1:], reduction="none")
    return -nll.sum(-1)


def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, *, beta=0.1):
    if policy_chosen.numel() == 0:
        raise ValueError(f"no pairs: {policy_chosen.shape}")
    policy_ratio = policy_chosen - policy_rejected
    with torch.no_grad():
        ref_ratio = ref_chosen - ref_rejected
        chosen = beta * (policy_chosen - ref_chosen)
        rejected = beta * (policy_rejected - ref_rejected)
        accuracy = (chosen > rejected).double().mean()
    loss = F.softplus(-beta * (policy_ratio - ref_ratio)).mean()
    return DPO(loss, chosen, rejected, accuracy)
