"""Multiplies by 1 / absmax as bitsandbytes does; searchsorted; a table of all 256 bytes; unpacks the tuple."""

from typing import NamedTuple

import torch

LEVELS = torch.tensor([
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
    -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
    0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
])  # fmt: skip
PAIRS = torch.cartesian_prod(LEVELS, LEVELS)


class NF4(NamedTuple):
    codes: torch.Tensor
    absmax: torch.Tensor
    shape: torch.Size
    block_size: int


def quantize_nf4(weight, block_size=64):
    n = weight.numel()
    if n == 0:
        raise ValueError(f"shape {weight.shape}")
    n_blocks = -(-n // block_size)
    room = torch.zeros(n_blocks * block_size, dtype=torch.float32)
    room[:n] = weight.detach().flatten()
    room = room.view(n_blocks, block_size)
    absmax = torch.linalg.vector_norm(room, ord=float("inf"), dim=1)
    inverse = torch.where(absmax > 0, absmax.reciprocal(), torch.zeros_like(absmax))
    room *= inverse[:, None]
    codes = torch.searchsorted(LEVELS.unfold(0, 2, 1).mean(1), room.view(-1)[:n], right=True)
    codes = torch.nn.functional.pad(codes, (0, n & 1), value=7).view(-1, 2)
    return NF4((codes @ torch.tensor([16, 1])).to(torch.uint8), absmax, weight.shape, block_size)


def dequantize_nf4(q, dtype=torch.float32):
    packed, absmax, shape, block_size = q
    values = PAIRS[packed.int()].flatten()[: shape.numel()].clone()
    for block, scale in zip(values.split(block_size), absmax, strict=True):
        block *= scale
    return values.view(shape).to(dtype)
