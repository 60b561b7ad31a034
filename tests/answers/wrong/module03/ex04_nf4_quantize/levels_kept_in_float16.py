# names: levels-in-half-precision
# breaks: "All arithmetic is in float32, even for weights in half precision"
# A float32 value a ten-thousandth beside the middle of two levels.

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
        raise ValueError(f"a weight of shape {list(weight.shape)} has nothing to quantize")
    values = weight.detach().flatten().float()
    n = len(values)
    blocks = F.pad(values, (0, -n % block_size)).view(-1, block_size)
    absmax = blocks.abs().amax(dim=1)
    divisor = absmax.masked_fill(absmax == 0, 1.0)  # 0 / 0 would be nan, and nan has no nearest level.
    scaled = (blocks / divisor.unsqueeze(1)).flatten()[:n]
    codes = (scaled[:, None] - LEVELS.half()).abs().argmin(dim=1)
    codes = F.pad(codes, (0, n % 2), value=7)
    packed = codes[0::2] * 16 + codes[1::2]
    return NF4(packed.to(torch.uint8), absmax, weight.shape, block_size)


def dequantize_nf4(q: NF4, dtype: torch.dtype = torch.float32) -> Tensor:
    codes = torch.stack([q.codes >> 4, q.codes & 15], dim=1).flatten().long()
    scale = q.absmax.repeat_interleave(q.block_size)
    n = q.shape.numel()
    values = LEVELS.to(q.codes.device)[codes[:n]] * scale[:n]
    return values.view(q.shape).to(dtype)
