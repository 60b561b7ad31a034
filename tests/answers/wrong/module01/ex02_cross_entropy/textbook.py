# names: log-of-softmax
# breaks: "It is finite for logits between -1e4 and 1e4"
import torch


def cross_entropy(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    x = logits[keep] if logits.dtype == torch.float64 else logits[keep].float()
    p = torch.nn.functional.softmax(x, dim=-1)
    p_target = p[torch.arange(p.shape[0]), targets[keep]]
    n = max(int(keep.sum()), 1)
    return (torch.log(p_target).sum() / -n).to(logits.dtype)
