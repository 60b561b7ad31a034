"""5.02 · Perplexity: measure how much a text surprises a language model, token by token.

A text can be longer than the model's window. The overlap of the windows decides what each token gets to see.
"""

import contextlib
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


# BEGIN SOLUTION
@contextlib.contextmanager
def reading(model):
    """Eval mode without gradients; each module's mode is restored, even if the model raises."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes.items():
            module.training = training


# END SOLUTION
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
    # BEGIN SOLUTION: window by window, sum -log p of the tokens that no window before held; exp of the mean.
    ids = input_ids.flatten()
    length = len(ids)
    if length < 2:
        raise ValueError(f"a text of {length} tokens has nothing to predict")
    if not 1 <= stride < context:
        raise ValueError(f"stride={stride} must be at least 1 and less than context={context}")
    total, start, scored = 0.0, 0, 1  # The first token has nothing before it.
    with reading(model):
        while scored < length:
            window = ids[start : start + context]
            logits = model(window.unsqueeze(0)).logits.squeeze(0).float()
            old = scored - start  # So many tokens of this window are scored already.
            total += F.cross_entropy(logits[old - 1 : -1], window[old:], reduction="sum").item()
            scored = start + len(window)
            start += stride
    return math.exp(total / (length - 1))
    # END SOLUTION
