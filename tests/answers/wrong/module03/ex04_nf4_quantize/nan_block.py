# names: zero-block-is-nan
# breaks: "A block of zeros has absmax 0 and the code 7 everywhere."
from typing import NamedTuple

import torch

LEVELS = torch.tensor([
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
    -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
    0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
])  # fmt: skip


class NF4(NamedTuple):
    codes: torch.Tensor
    absmax: torch.Tensor
    shape: torch.Size
    block_size: int


def quantize_nf4(weight, block_size=64):
    n = weight.numel()
    if n == 0:
        raise ValueError("empty")
    w = weight.detach().to(torch.float32).flatten()
    while len(w) % block_size:
        w = torch.cat([w, torch.zeros(1)])
    w = w.view(-1, block_size)
    absmax = w.abs().max(1).values
    x = (w / absmax[:, None]).flatten()[:n]
    codes = torch.argmin(torch.abs(x.unsqueeze(1) - LEVELS.unsqueeze(0)), dim=1)
    codes = torch.cat([codes, torch.full((n % 2,), 7)])
    return NF4((16 * codes[::2] + codes[1::2]).byte(), absmax, weight.shape, block_size)


def dequantize_nf4(q, dtype=torch.float32):
    n = q.shape.numel()
    codes = torch.stack([q.codes >> 4, q.codes & 15], dim=-1).view(-1)[:n].int()
    scale = q.absmax.repeat_interleave(q.block_size)[:n]
    return (LEVELS[codes] * scale).view(q.shape).to(dtype)
