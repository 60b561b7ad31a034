# names: max-not-subtracted
# breaks: "It is finite for logits between -1e4 and 1e4"
import torch


def cross_entropy(logits, targets, ignore_index=-100):
    keep = (targets != ignore_index).to(logits.dtype)
    z = logits.double()
    t = torch.where(targets == ignore_index, torch.zeros_like(targets), targets)
    lse = torch.log(torch.exp(z).sum(dim=1))
    loss = lse - z.gather(1, t.unsqueeze(1)).squeeze(1)
    return ((loss * keep).sum() / keep.sum().clamp(min=1)).to(logits.dtype)
