# names: ignored-logits-zeroed
# breaks: "Rows whose target equals `ignore_index`"
# Multiplies the logits of ignored rows by 0, which is a row of equal logits and not no row.
import torch


def cross_entropy(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    z = logits.double() * keep[:, None]
    t = torch.where(keep, targets, 0)
    nll = z.logsumexp(1) - z.gather(1, t[:, None])[:, 0]
    return (nll.sum() / keep.sum().clamp(min=1)).to(logits.dtype)
