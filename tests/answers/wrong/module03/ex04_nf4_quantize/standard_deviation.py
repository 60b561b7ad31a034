# names: standard-deviation-for-absmax
# breaks: "Each value is divided by the absmax of its block"
# Scales by three standard deviations instead of the absmax.
from typing import NamedTuple

import torch
import torch.nn.functional as F

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
    if weight.numel() == 0:
        raise ValueError("empty")
    n = weight.numel()
    parts = weight.detach().float().flatten().split(block_size)
    absmax = torch.stack([3 * part.std(correction=0) for part in parts])
    x = torch.cat([p / s if s > 0 else p for p, s in zip(parts, absmax, strict=True)])
    codes = F.pad((x[:, None] - LEVELS).abs().argmin(1), (0, n % 2), value=7)
    return NF4((codes[::2] << 4 | codes[1::2]).byte(), absmax, weight.shape, block_size)


def dequantize_nf4(q, dtype=torch.float32):
    n = q.shape.numel()
    codes = torch.stack([q.codes >> 4, q.codes & 15], dim=-1).view(-1)[:n].int()
    scale = q.absmax.repeat_interleave(q.block_size)[:n]
    return (LEVELS[codes] * scale).view(q.shape).to(dtype)
