# names: zero-times-the-sum
# breaks: "If no row counts"
import torch
from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    """Return the mean cross-entropy of the logits against the target classes.

    The loss of one row is `-log p`, where p is the softmax of the row at its target class (natural logarithm). Rows
    whose target equals `ignore_index` count in neither the sum nor the divisor.

    Args:
        logits: `[N, C]`, of any floating dtype; scores, not probabilities. It need not be contiguous.
        targets: `[N]`, int64; each is a class from 0 to C - 1, or `ignore_index`.
        ignore_index: any integer, even one that is a valid class.

    Returns:
        A scalar tensor of the logits' dtype, on their device: the mean over the rows that count. It is computed in
        at least float32 and only then converted to that dtype. It is finite for logits between -1e4 and 1e4, in any
        mixture, and so is its gradient. If no row counts (every target ignored, or N = 0), it is 0.

    The loss is attached to the graph of `logits`, even if no row counts; the gradient of a row that does not count
    is exactly 0. Neither `logits` nor `targets` is changed.

    Not allowed, since they are what this exercise builds: torch's `cross_entropy`, `nll_loss` and `log_softmax`, as
    functions, methods or modules. Everything else is allowed, including `torch.logsumexp` and `gather`.

    Method: Goodfellow, Bengio, Courville, Deep Learning (2016), sections 4.1 and 6.2.2.3,
    https://www.deeplearningbook.org; https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
    """
    # BEGIN SOLUTION: select the rows that count, log-softmax by subtracting the row's maximum, mean of -log p.
    counted = targets != ignore_index
    scores = logits[counted]
    if scores.dtype != torch.float64:
        scores = scores.float()  # A sum of exponentials in half precision loses the small ones.
    shifted = scores - scores.max(dim=1, keepdim=True).values
    log_probs = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    losses = -log_probs.gather(1, targets[counted].unsqueeze(1))
    if not counted.any():
        return (logits.sum(dim=0) * 0).sum()
    mean = losses.sum() / counted.sum().clamp(min=1)
    return mean.to(logits.dtype)
    # END SOLUTION
