"""A one-hot product picks the tokens; binary cross-entropy with logits against 1; a dataclass."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot


@dataclass
class DPO:
    loss: Tensor
    chosen_reward: Tensor
    rejected_reward: Tensor
    accuracy: Tensor


def sequence_logprobs(logits: Tensor, labels: Tensor) -> Tensor:
    dtype = torch.promote_types(logits.dtype, torch.float32)
    log_p = torch.log_softmax(logits, dim=2, dtype=dtype)
    target = torch.roll(labels, -1, dims=1)
    target[:, -1] = -100
    chosen = one_hot(target.clamp(min=0), logits.shape[2]) * (target != -100).unsqueeze(-1)
    return (log_p * chosen).sum((1, 2))


def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, *, beta=0.1):
    if policy_chosen.shape[0] < 1:
        raise ValueError("at least one pair is needed")
    ratio = torch.stack([policy_chosen, policy_rejected]) - torch.stack([ref_chosen, ref_rejected]).data
    reward = beta * ratio
    margin = reward[0] - reward[1]
    loss = binary_cross_entropy_with_logits(margin, torch.ones_like(margin))
    chosen, rejected = reward.detach().clone()
    return DPO(loss, chosen, rejected, (margin.detach() > 0).to(margin.dtype).mean())
