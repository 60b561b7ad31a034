"""3.11 · DPO loss: learn from pairs of answers in which one was preferred.

No reward model and no sampling: the loss takes four log-probabilities, two of them from the starting model.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class DPO(NamedTuple):
    """What `dpo_loss` returns.

    loss: scalar, attached to the graph of the policy.
    chosen_reward, rejected_reward: `[B]`, detached.
    accuracy: scalar, detached: the share of pairs whose chosen reward is above the rejected one.
    """

    loss: Tensor
    chosen_reward: Tensor
    rejected_reward: Tensor
    accuracy: Tensor


def sequence_logprobs(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the log-probability that a causal language model gives to each sequence.

    The logits at position t predict the token at t + 1, so they are scored against the label there; the first label
    and the last logits have no partner. Labels of -100 (prompt, padding) are left out. The log-probabilities of the
    other labels are added up, not averaged.

    Args:
        logits: `[B, T, V]`, of any floating dtype, finite; not changed.
        labels: `[B, T]`, int64: each a token from 0 to V - 1, or -100; not changed.

    Returns:
        `[B]`, attached to the graph of the logits: float64 for float64 logits, otherwise float32, and computed in
        at least that (a sum near -400 has steps of 2 in bfloat16). It is finite, even if logits are 2000 apart. A
        sequence in which no label counts gives 0.

    You may use any function of torch.

    Method: Rafailov et al. (2023), appendix B, whose code takes these sums, https://arxiv.org/abs/2305.18290
    """
    # TODO: shift by one, log-softmax in float32, pick the labels, add up those that are not -100.
    raise NotImplementedError("TODO")


def dpo_loss(
    policy_chosen: Tensor,
    policy_rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    *,
    beta: float = 0.1,
) -> DPO:
    """Return the DPO loss of a batch of pairs, and the numbers to watch while it falls.

    The reward of an answer is `beta * (policy - reference)`, where the two are the log-probabilities that the
    models give it. The loss of a pair is `-log(sigmoid(chosen_reward - rejected_reward))`, that of a batch the
    mean.

    Args:
        policy_chosen, policy_rejected: `[B]`: the log-probabilities, summed over the tokens, under the model that
            is being trained.
        ref_chosen, ref_rejected: `[B]`: the same under the frozen model that training began with. They may
            come with a graph.
        beta: greater than 0; how strongly the loss ties the model to the reference.

    All four are float32 or float64, share one dtype and one device, and are not changed.

    Returns:
        `loss`, `chosen_reward`, `rejected_reward` and `accuracy`, as `DPO` describes them; the loss and the rewards
        have the dtype of the inputs. A pair with equal rewards does not count as correct. Loss and gradient are
        finite, and correct up to float32's rounding, for any difference of the rewards from -1e4 to 1e4.

        The gradient goes to the policy's log-probabilities only, never to the reference's.

    Raises:
        ValueError: the batch is empty.

    You may use any function of torch.

    Method: Rafailov et al. (2023), equation 7, https://arxiv.org/abs/2305.18290
    """
    # TODO: two rewards (no gradient to the reference), -log sigmoid of the difference, share right.
    raise NotImplementedError("TODO")
