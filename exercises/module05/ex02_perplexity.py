"""5.02 · Perplexity: measure how much a text surprises a language model, token by token.

A text can be longer than the model's window. The overlap of the windows decides what each token gets to see.
"""

import contextlib
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def perplexity(model: nn.Module, input_ids: Tensor, stride: int, context: int) -> float:
    """Return the perplexity of a text of any length under a causal language model.

    The text is read in windows that start at token 0, stride, 2 · stride and so on. Each is `context` tokens
    long, but the last one, the first to reach the end of the text, ends there and may be shorter. Each token
    except the text's first is scored exactly once, in the first window that contains it. So a token of a later
    window has at least `context - stride` tokens before it, and a text that fits into one window takes one pass.

    Args:
        model: `model(ids)` with int64 ids `[B, n]`, n from 1 to `context`, returns an object whose `logits`
            `[B, n, V]` are of any floating dtype; those at position t predict the token at t + 1. Its
            parameters are not changed.
        input_ids: `[T]` or `[1, T]`, int64, on the model's device; not changed. T is at least 2, else a
            ValueError.
        stride: how many tokens after one window the next one starts.
        context: the largest number of tokens that the model is given at once. Unless 1 ≤ stride < context,
            even if the text fits into one window, a ValueError is raised; its message holds the stride.

    Returns:
        exp(total / (T - 1)) as a Python float. The total is the sum of -log p over the scored tokens, where p is
        the softmax of the logits at the token (natural logarithm). The log-softmax is computed in float32 or
        float64, whatever the logits' dtype, so that log p is finite for logits that are far apart. A mean loss over
        700 may be an OverflowError: its exponential is too large for a float.

    The model runs in eval mode and without recording gradients. On return, the `training` flag of each of its
    submodules and the grad mode are what they were on entry. You may use `F.cross_entropy` and `log_softmax`.

    Method: https://huggingface.co/docs/transformers/perplexity
    """
    # TODO: window by window, sum -log p of the tokens that no window before held; exp of the mean.
    raise NotImplementedError("TODO")
