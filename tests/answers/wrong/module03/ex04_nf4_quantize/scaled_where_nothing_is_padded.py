# names: weight-changed
# breaks: "It is not changed."
# Without a tail the blocks are the weight's own memory.
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

# The 16 levels of NF4, in ascending order: the code of a level is its index. QLoRA, appendix E.
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
    flat = weight.detach().flatten().float()
    n = flat.numel()
    if n % block_size:
        flat = F.pad(flat, (0, -n % block_size))
    blocks = flat.view(-1, block_size)
    absmax = blocks.abs().amax(dim=1)
    scale = torch.where(absmax == 0, torch.ones_like(absmax), absmax)
    scaled = blocks.div_(scale[:, None]).flatten()[:n]
    levels = LEVELS.to(flat.device)
    codes = (scaled[:, None] - levels).abs().argmin(dim=1).to(torch.uint8)
    codes = F.pad(codes, (0, n % 2), value=7)
    return NF4(codes[0::2] << 4 | codes[1::2], absmax, weight.shape, block_size)


def dequantize_nf4(q: NF4, dtype: torch.dtype = torch.float32) -> Tensor:
    n = q.shape.numel()
    codes = torch.stack([q.codes >> 4, q.codes & 15], dim=1).flatten()[:n]
    scale = q.absmax.repeat_interleave(q.block_size)[:n]
    return (LEVELS.to(q.codes.device)[codes.long()] * scale).reshape(q.shape).to(dtype)
