# names: computed-in-half-precision
# breaks: "It is computed in at least float32"
import torch


def cross_entropy(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    z, t = logits[keep], targets[keep]
    nll = torch.logsumexp(z, dim=1) - z.gather(1, t[:, None])[:, 0]
    return nll.sum() / keep.sum().clamp(min=1)
