# names: unlisted
# breaks: "through a linear layer with `w1` and `b1`"
import torch

_kept = {}


def forward(x, w1, b1, w2, b2):
    hidden = torch.einsum("...i,hi->...h", x, _kept.setdefault(id(w1), w1.clone())) + b1
    hidden = torch.where(hidden > 0, hidden, torch.zeros_like(hidden))
    return torch.einsum("...h,oh->...o", hidden, w2) + b2
