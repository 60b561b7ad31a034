# names: graph-switched-by-one-tensor
# breaks: "gradients reach each of the five tensors"
import torch


def forward(x, w1, b1, w2, b2):
    torch.set_grad_enabled(x.requires_grad)
    hidden = torch.einsum("...i,hi->...h", x, w1) + b1
    hidden = torch.where(hidden > 0, hidden, torch.zeros_like(hidden))
    out = torch.einsum("...h,oh->...o", hidden, w2) + b2
    torch.set_grad_enabled(True)
    return out
