# names: view-of-a-transposed-tensor
# breaks: "It need not be contiguous."
import torch


def cross_entropy(logits, targets, ignore_index=-100):
    logits = logits.view(-1).view(logits.shape)
    keep = targets != ignore_index
    z = logits[keep] if logits.dtype == torch.float64 else logits[keep].float()
    z = z - z.max(dim=1, keepdim=True)[0]
    log_p = z - torch.log(torch.exp(z).sum(dim=1, keepdim=True))
    losses = -log_p.gather(1, targets[keep][:, None])
    return (losses.sum() / keep.sum().clamp(min=1)).to(logits.dtype)
