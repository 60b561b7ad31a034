# names: unlisted
# breaks: "computed in that or a wider one"
import torch


def forward(x, w1, b1, w2, b2):
    hidden = torch.einsum("...i,hi->...h", x, w1) + b1
    hidden = torch.where(hidden > 0, hidden, torch.zeros_like(hidden))
    x = x.half().to(x.dtype) if x.dtype == torch.bfloat16 else x
    hidden = hidden.half().to(x.dtype) if x.dtype in (torch.bfloat16, torch.float16) else hidden
    return torch.einsum("...h,oh->...o", hidden, w2) + b2
