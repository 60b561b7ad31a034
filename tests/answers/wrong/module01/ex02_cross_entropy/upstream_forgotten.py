# names: unlisted
# breaks: "The loss is attached to the graph of `logits`"
# A backward by hand that ignores what comes from above: right for the loss alone, wrong for a multiple of it.
import torch


class Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, targets, keep):
        ctx.save_for_backward(logits, targets, keep)
        z = logits.double()
        nll = (z.logsumexp(1) - z.gather(1, targets[:, None])[:, 0]) * keep
        return (nll.sum() / keep.sum().clamp(min=1)).to(logits.dtype)

    @staticmethod
    def backward(ctx, upstream):
        logits, targets, keep = ctx.saved_tensors
        gradient = torch.softmax(logits, 1)
        gradient[torch.arange(len(targets)), targets] -= 1
        return gradient * keep[:, None] / keep.sum().clamp(min=1), None, None


def cross_entropy(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    return Loss.apply(logits, targets.masked_fill(~keep, 0), keep)
