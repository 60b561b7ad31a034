# names: logits-squeezed
# breaks: "each is a class from 0 to C - 1"
import torch


def cross_entropy(logits, targets, ignore_index=-100):
    logits, targets = logits.squeeze(), targets.squeeze()
    keep = targets != ignore_index
    work = logits if logits.dtype == torch.float64 else logits.float()
    scores, classes = work[keep], targets[keep]
    if len(classes) == 0:
        return scores.sum().to(logits.dtype)
    shifted = scores - scores.detach().amax(dim=1, keepdim=True)
    picked = shifted.gather(1, classes[:, None])[:, 0]
    loss = shifted.exp().sum(dim=1).log() - picked
    return loss.mean().to(logits.dtype)
