# names: log-of-the-mean-share
# breaks: "The loss of one row is `-log p`"
# The log of the mean probability, not the mean of the logs.
import torch


def cross_entropy(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    p = torch.softmax(logits[keep].double(), dim=1).gather(1, targets[keep][:, None])
    return -(p.sum() / keep.sum().clamp(min=1)).log().to(logits.dtype)
