"""A Function with a backward by hand, over rows that are flattened and put back."""

import torch


class TwoLayers(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w1, b1, w2, b2):
        pre = torch.addmm(b1, x, w1.t())
        hidden = torch.maximum(pre, torch.zeros_like(pre))
        ctx.save_for_backward(x, w1, w2, pre, hidden)
        return torch.addmm(b2, hidden, w2.t())

    @staticmethod
    def backward(ctx, upstream):
        x, w1, w2, pre, hidden = ctx.saved_tensors
        at_pre = (upstream @ w2) * (pre > 0)
        return at_pre @ w1, at_pre.t() @ x, at_pre.sum(0), upstream.t() @ hidden, upstream.sum(0)


def forward(x, w1, b1, w2, b2):
    flat = x.reshape(-1, x.shape[-1])
    return TwoLayers.apply(flat, w1, b1, w2, b2).reshape(*x.shape[:-1], -1 if flat.shape[0] else w2.shape[0])
