# names: sum-not-mean
# breaks: "Return the mean cross-entropy"
import torch


def cross_entropy(logits, targets, ignore_index=-100):
    z = logits.double()
    total = z.sum() * 0
    for i in range(len(targets)):
        if targets[i] != ignore_index:
            total = total + torch.logsumexp(z[i], 0) - z[i, targets[i]]
    return total.to(logits.dtype)
