"""Compares the values with the levels times absmax, and so never divides; a dataclass; float64 throughout."""

from dataclasses import dataclass

import torch
from torch import Tensor

NEGATIVE = [-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453]
NEGATIVE += [-0.28444138169288635, -0.18477343022823334, -0.09105003625154495]
POSITIVE = [0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224]
POSITIVE += [0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0]
LEVELS = torch.tensor([*NEGATIVE, 0.0, *POSITIVE], dtype=torch.float64)


@dataclass
class NF4:
    codes: Tensor
    absmax: Tensor
    shape: torch.Size
    block_size: int


def quantize_nf4(weight: Tensor, block_size: int = 64) -> NF4:
    if weight.numel() == 0:
        raise ValueError("weight is empty")
    parts = weight.data.double().flatten().split(block_size)
    absmax = torch.stack([part.abs().max() for part in parts])
    codes = []
    for part, scale in zip(parts, absmax, strict=True):
        if scale == 0:
            codes.append(torch.full_like(part, 7))
        else:
            codes.append(torch.cdist(part[:, None], scale * LEVELS[:, None]).argmin(dim=1))
    codes = torch.cat(codes).long()
    high, low = codes[::2], codes[1::2]
    if len(low) < len(high):
        low = torch.cat([low, torch.tensor([7])])
    return NF4((high.bitwise_left_shift(4) + low).byte(), absmax.float(), weight.shape, block_size)


def dequantize_nf4(q: NF4, dtype: torch.dtype = torch.float32) -> Tensor:
    high, low = q.codes >> 4, q.codes & 0b1111
    codes = torch.stack((high, low), dim=-1).reshape(-1)[: q.shape.numel()]
    values = LEVELS.index_select(0, codes.int())
    parts = [part * scale for part, scale in zip(values.split(q.block_size), q.absmax.double(), strict=True)]
    return torch.cat(parts).reshape(q.shape).to(dtype)
