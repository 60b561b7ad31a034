# names: number-of-dimensions-assumed
# breaks: "A tensor of the shape `q.shape` and of this dtype"
# Every weight comes back as a matrix.
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
        raise ValueError("nothing to quantize")
    flat = weight.detach().flatten().float()
    codes, absmax = [], []
    for block in flat.split(block_size):
        scale = block.abs().max()
        absmax.append(scale)
        scaled = block / scale if scale > 0 else block
        codes.append((scaled[:, None] - LEVELS).abs().argmin(dim=1))
    codes = torch.cat(codes)
    if n % 2:
        codes = torch.cat([codes, torch.tensor([7])])
    packed = (codes[::2] << 4 | codes[1::2]).to(torch.uint8)
    return NF4(packed, torch.stack(absmax), weight.shape, block_size)


def dequantize_nf4(q, dtype=torch.float32):
    n = q.shape.numel()
    codes = torch.stack([q.codes >> 4, q.codes & 15], dim=1).flatten()[:n].long()
    blocks = torch.arange(n) // q.block_size
    return (LEVELS[codes] * q.absmax[blocks]).reshape(q.shape[0], -1).to(dtype)
