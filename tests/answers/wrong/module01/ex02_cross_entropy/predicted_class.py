# names: loss-of-the-largest-logit
# breaks: "at its target class"
# The loss of the class with the largest logit, not of the target.


def cross_entropy(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    z = logits[keep].double()
    nll = z.logsumexp(1) - z.amax(1)
    return (nll.sum() / keep.sum().clamp(min=1)).to(logits.dtype)
