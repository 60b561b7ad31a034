"""1.02 · Cross-entropy: one number for how wrong a batch of logits is.

The loss of nearly every classifier and language model, and the first place where float arithmetic bites.
"""

import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    """Return the mean cross-entropy of the logits against the target classes.

    The loss of one row is `-log p`, where p is the softmax of the row at its target class (natural
    logarithm). Rows whose target equals `ignore_index` do not count, neither in the sum nor in the number
    that it is divided by.

    Args:
        logits: `[N, C]`, of any floating dtype; scores, not probabilities. It need not be contiguous.
        targets: `[N]`, int64; each is a class from 0 to C - 1, or `ignore_index`.
        ignore_index: any integer, also one that is a valid class.

    Returns:
        A scalar tensor of the logits' dtype, on their device: the mean over the rows that count. It is computed
        in at least float32 and only then turned into that dtype. It is finite for logits between -1e4 and 1e4, in any
        mixture, and so is its gradient. Where no row counts (every target ignored, or N = 0) it is 0.

    The loss is attached to the graph of `logits`, also where no row counts; the gradient of a row that does
    not count is exactly 0. Neither `logits` nor `targets` is changed.

    Not allowed, since they are what this exercise builds: torch's `cross_entropy`, `nll_loss` and
    `log_softmax`, as functions, methods or modules. Everything else is, `torch.logsumexp` and `gather` too.

    Method: Goodfellow, Bengio, Courville, Deep Learning (2016), sections 4.1 and 6.2.2.3,
    https://www.deeplearningbook.org; https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
    """
    # TODO: select the rows that count, log-softmax by subtracting the row's maximum, mean of -log p.
    raise NotImplementedError("TODO")
