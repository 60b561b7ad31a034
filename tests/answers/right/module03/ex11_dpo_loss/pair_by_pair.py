"""Loops over sequences, tokens and pairs; logaddexp; a namespace as the result."""

from types import SimpleNamespace

import torch


def sequence_logprobs(logits, labels):
    dtype = torch.float64 if logits.dtype == torch.float64 else torch.float32
    totals = []
    for row, tokens in zip(logits.to(dtype), labels.tolist(), strict=True):
        total = row.sum() * 0
        for scores, token in zip(row, tokens[1:], strict=False):
            if token >= 0:
                total = total + scores[token] - scores.logsumexp(0)
        totals.append(total)
    return torch.stack(totals)


def dpo_loss(policy_chosen, policy_rejected, ref_chosen, ref_rejected, *, beta=0.1):
    n = len(policy_chosen)
    if not n:
        raise ValueError("empty")
    total, wins = 0, 0
    for i in range(n):
        margin = policy_chosen[i] - ref_chosen[i].item() - policy_rejected[i] + ref_rejected[i].item()
        total = total + torch.logaddexp(torch.zeros_like(margin), -beta * margin)
        wins += bool(margin > 0)
    return SimpleNamespace(
        loss=total / n,
        chosen_reward=beta * (policy_chosen.detach() - ref_chosen.detach()),
        rejected_reward=beta * (policy_rejected.detach() - ref_rejected.detach()),
        accuracy=torch.tensor(wins / n),
    )
