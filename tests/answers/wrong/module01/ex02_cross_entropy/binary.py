# names: binary-cross-entropy
# breaks: "where p is the softmax of the row"
# Binary cross-entropy of every class instead of one softmax over all.
import torch.nn.functional as F


def cross_entropy(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    z, t = logits[keep].double(), targets[keep]
    one_hot = F.one_hot(t, logits.shape[1]).double()
    total = F.binary_cross_entropy_with_logits(z, one_hot, reduction="sum")
    return (total / keep.sum().clamp(min=1)).to(logits.dtype)
