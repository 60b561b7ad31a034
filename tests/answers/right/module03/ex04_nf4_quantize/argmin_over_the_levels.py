"""The nearest level by trying all 16; a block of zeros by setting its nan to 0."""

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


@torch.no_grad()
def quantize_nf4(weight, block_size=64):
    if not weight.numel():
        raise ValueError("empty weight")
    x = weight.reshape(-1).to(torch.float32)
    pad = (block_size - x.numel() % block_size) % block_size
    blocks = torch.cat([x, x.new_zeros(pad)]).reshape(-1, block_size)
    absmax = blocks.abs().max(dim=1).values
    normed = (blocks / absmax[:, None]).nan_to_num(nan=0.0)
    idx = (normed[..., None] - LEVELS.to(x.device)).abs().argmin(dim=-1).to(torch.uint8).reshape(-1)
    idx = idx[: x.numel()]
    if idx.numel() % 2:
        idx = torch.cat([idx, idx.new_full((1,), 7)])
    pairs = idx.reshape(-1, 2)
    return NF4(pairs[:, 0] << 4 | pairs[:, 1], absmax, weight.shape, block_size)


def dequantize_nf4(q, dtype=torch.float32):
    n = q.shape.numel()
    idx = torch.empty(2 * q.codes.numel(), dtype=torch.int64, device=q.codes.device)
    idx[0::2] = (q.codes >> 4).long()
    idx[1::2] = (q.codes & 15).long()
    block = torch.arange(n, device=q.codes.device) // q.block_size
    return (LEVELS.to(q.codes.device)[idx[:n]] * q.absmax[block]).reshape(q.shape).to(dtype)
