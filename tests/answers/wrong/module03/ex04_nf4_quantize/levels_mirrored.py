# names: positive-levels-mirrored
# breaks: "gets the code of the nearest level"
# The positive levels are used for both signs; the negative ones lie elsewhere.

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

LEVELS = torch.tensor([
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
    -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
    0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
])  # fmt: skip


class NF4(NamedTuple):
    codes: Tensor
    absmax: Tensor
    shape: torch.Size
    block_size: int


def quantize_nf4(weight: Tensor, block_size: int = 64) -> NF4:
    if weight.numel() == 0:
        raise ValueError("the weight has no elements")
    flat = weight.detach().float().flatten()
    n = flat.numel()
    blocks = F.pad(flat, (0, -n % block_size)).view(-1, block_size)
    absmax = blocks.abs().amax(dim=1)
    scaled = blocks / torch.where(absmax == 0, 1.0, absmax).unsqueeze(1)
    levels = LEVELS.to(flat.device)
    half = levels[7:]
    steps = torch.bucketize(scaled.abs(), (half[1:] + half[:-1]) / 2)
    codes = (7 + torch.where(scaled < 0, -(steps - (steps == 8).int()), steps)).flatten()[:n]
    if n % 2:
        codes = F.pad(codes, (0, 1), value=7)
    codes = codes.to(torch.uint8)
    return NF4(codes[::2] << 4 | codes[1::2], absmax, weight.shape, block_size)


def dequantize_nf4(q: NF4, dtype: torch.dtype = torch.float32) -> Tensor:
    n = q.shape.numel()
    codes = torch.stack([q.codes >> 4, q.codes & 15], dim=1).flatten()[:n]
    scale = q.absmax.repeat_interleave(q.block_size)[:n]
    return (LEVELS.to(codes.device)[codes.long()] * scale).reshape(q.shape).to(dtype)
