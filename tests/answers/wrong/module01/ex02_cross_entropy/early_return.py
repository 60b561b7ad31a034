# names: zero-without-a-graph
# breaks: "even if no row counts"
import torch


def cross_entropy(logits, targets, ignore_index=-100):
    keep = targets.ne(ignore_index)
    if keep.sum() == 0:
        return torch.zeros((), dtype=logits.dtype, device=logits.device)
    z, t = logits[keep].double(), targets[keep]
    return (z.logsumexp(dim=1) - z[torch.arange(len(t)), t]).mean().to(logits.dtype)
