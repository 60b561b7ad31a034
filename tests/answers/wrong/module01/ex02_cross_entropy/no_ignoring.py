# names: ignore-index-as-index
# breaks: "Rows whose target equals `ignore_index`"
import torch


def cross_entropy(logits, targets, ignore_index=-100):
    z = logits.double()
    picked = z.gather(1, targets.view(-1, 1)).view(-1)
    return (torch.logsumexp(z, 1) - picked).mean().to(logits.dtype)
