# names: one-reward-negated
# breaks: "The reward of an answer is `beta * (policy - reference)`"
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
    dtype = torch.promote_types(logits.dtype, torch.float32)
    targets = labels[:, 1:]
    counts = targets != -100
    logp = F.log_softmax(logits[:, :-1].to(dtype), dim=-1)
    picked = logp.gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return picked.masked_fill(~counts, 0.0).sum(dim=1)


def dpo_loss(
    policy_chosen: Tensor,
    policy_rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    *,
    beta: float = 0.1,
) -> DPO:
    if policy_chosen.shape[0] == 0:
        raise ValueError("empty batch")
    chosen_reward = beta * (policy_chosen - ref_chosen.detach())
    rejected_reward = beta * (ref_rejected.detach() - policy_rejected)
    loss = -F.logsigmoid(chosen_reward + rejected_reward).mean()
    accuracy = (chosen_reward > -rejected_reward).float().mean()
    return DPO(loss, chosen_reward.detach(), rejected_reward.detach(), accuracy)
