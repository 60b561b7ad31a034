# names: no-counted-row-is-nan
# breaks: "If no row counts"
import torch


def cross_entropy(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    z, t = logits[keep].double(), targets[keep]
    return (z.logsumexp(dim=1) - z[torch.arange(len(t)), t]).mean().to(logits.dtype)
