# names: log-of-softmax
# breaks: "It is finite for logits between -1e4 and 1e4"
import torch


def cross_entropy(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    z = logits[keep] if logits.dtype == torch.float64 else logits[keep].float()
    one_hot = torch.nn.functional.one_hot(targets[keep], logits.shape[1])
    losses = -(one_hot * torch.softmax(z, dim=1).log()).sum(dim=1)
    return (losses.sum() / keep.sum().clamp(min=1)).to(logits.dtype)
