# names: nan-repaired-afterward
# breaks: "the gradient of a row that does not count is exactly 0"
# Repairs the nan of an empty batch after the fact: the value is 0, the gradient is still nan.
import torch


def cross_entropy(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    z = logits.double()
    t = torch.where(keep, targets, 0)
    nll = (z.logsumexp(1) - z.gather(1, t[:, None])[:, 0]) * keep
    mean = nll.sum() / keep.sum()
    return torch.where(torch.isnan(mean), torch.zeros_like(mean), mean).to(logits.dtype)
