# names: squared-error
# breaks: "The loss of one row is `-log p`"
# The squared error of the probabilities (Brier score).
import torch
import torch.nn.functional as F


def cross_entropy(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    p = torch.softmax(logits[keep].double(), dim=1)
    one_hot = F.one_hot(targets[keep], logits.shape[1])
    return (((p - one_hot) ** 2).sum() / keep.sum().clamp(min=1)).to(logits.dtype)
