"""5.02 · Perplexity: how surprised a language model is by a text, token by token.

A text is longer than the model's window. How the windows overlap decides what each token gets to see.
"""

import contextlib
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


# BEGIN SOLUTION
@contextlib.contextmanager
def reading(model):
    """Eval mode without gradients; each module's mode comes back, also where the model raises."""
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

    The text is read in windows: they start at token 0, stride, 2 · stride and so on, each is `context` tokens
    long, and the last is the first that reaches the end of the text; it ends there and may be shorter. Each
    token but the first of the text is scored exactly once, in the first window that holds it. So a token of a
    later window has at least `context - stride` tokens before it, and a text that fits into one window is one
    pass.

    Args:
        model: `model(ids)` with int64 ids `[B, n]`, n from 1 to `context`, returns an object whose `logits`
            `[B, n, V]` are of any floating dtype; those at position t predict the token at t + 1. Its
            parameters are not changed.
        input_ids: `[T]` or `[1, T]`, int64, on the model's device; not changed. T is at least 2, else a
            ValueError.
        stride: how many tokens the next window starts further on.
        context: the largest number of tokens that the model is given at once. Unless 1 ≤ stride < context,
            also where the text fits into one window, a ValueError is raised whose text holds the stride.

    Returns:
        exp(total / (T - 1)) as a Python float, where the total is the sum over the scored tokens of -log p, p
        the softmax of the logits at the token (natural logarithm). The log-softmax is computed in float32, or
        float64, whatever the logits' dtype is, so that log p is finite for logits that are far apart.

    The model runs in eval mode and without recording gradients. The `training` flag of each of its submodules
    and the grad mode are on return what they were on entry. `F.cross_entropy` and `log_softmax` may be used.

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
