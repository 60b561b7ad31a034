# names: no-graph-without-labels
# breaks: "`[B]`, attached to the graph of the logits"
# no label of the batch counts, or T is 1, and backward() is called
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
    if logits.dtype != torch.float64:
        logits = logits.float()
    if not (labels[:, 1:] != -100).any():
        return logits.new_zeros(len(logits))
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    labels = labels[:, 1:]
    ignored = labels == -100
    picked = log_probs.gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return picked.masked_fill(ignored, 0.0).sum(dim=1)


def dpo_loss(
    policy_chosen: Tensor,
    policy_rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    *,
    beta: float = 0.1,
) -> DPO:
    if len(policy_chosen) == 0:
        raise ValueError("a batch of 0 pairs has no loss")
    chosen_reward = beta * (policy_chosen - ref_chosen.detach())
    rejected_reward = beta * (policy_rejected - ref_rejected.detach())
    loss = -F.logsigmoid(chosen_reward - rejected_reward).mean()
    accuracy = (chosen_reward > rejected_reward).float().mean()
    return DPO(loss, chosen_reward.detach(), rejected_reward.detach(), accuracy)
