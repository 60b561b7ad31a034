# names: mean-over-all-rows
# breaks: "count in neither the sum nor the divisor"
import torch


def cross_entropy(logits, targets, ignore_index=-100):
    z = logits.double()
    t = targets.clone()
    t[targets == ignore_index] = 0
    nll = z.logsumexp(1) - z.gather(1, t[:, None]).squeeze(1)
    nll = torch.where(targets == ignore_index, torch.zeros_like(nll), nll)
    return nll.mean().to(logits.dtype)
