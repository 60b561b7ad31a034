# names: packed-block-by-block
# breaks: "uint8 `[ceil(n / 2)]` for n values: two codes a byte"
# each block is packed for itself, so with an odd block_size every block ends with half a byte
"""3.04 · Quantize to NF4: store each weight in four bits, with one scale for each block of weights.

QLoRA stores the frozen base model this way: with 16 fixed levels, placed where normally distributed weights are
dense.
"""

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
    """A quantized tensor: everything that `dequantize_nf4` needs.

    codes: uint8 `[ceil(n / 2)]` for n values: two codes a byte, the first of the two in the high nibble.
    absmax: float32 `[ceil(n / block_size)]`: the largest absolute value of each block.
    shape: the shape of the tensor that was quantized.
    block_size: how many values share one absmax.
    """

    codes: Tensor
    absmax: Tensor
    shape: torch.Size
    block_size: int


def quantize_nf4(weight: Tensor, block_size: int = 64) -> NF4:
    """Quantize a tensor to NF4, block by block.

    The values are read in row-major order, as `weight.flatten()` gives them, and cut into blocks of `block_size`;
    the last block may be shorter, and a block may begin in one row and end in another. Each value is divided by the
    absmax of its block and gets the code of the nearest level (if two are equally near, either one). If n is odd,
    the low nibble of the last byte is 7, the code of the level 0.

    Args:
        weight: of any shape, contiguous or not, and of any floating dtype; its values are finite in
            float32. It is not changed. It may be a parameter that needs a gradient.
        block_size: any integer of at least 1.

    Returns:
        The codes and the absmax as `NF4` describes them, on the weight's device and detached from any graph. All
        arithmetic is in float32, even for weights in half precision; float64 may be computed in float64. A block of
        zeros has absmax 0 and the code 7 everywhere. Blocks of very small weights, down to 1e-25, are scaled like any
        other.

    Raises:
        ValueError: the weight has no elements.

    Not allowed: bitsandbytes or another library that quantizes. (bitsandbytes supports only some block sizes.)

    Method: Dettmers et al., QLoRA (2023), sections 2 and 3, https://arxiv.org/abs/2305.14314
    """
    if weight.numel() == 0:
        raise ValueError("the weight has no elements")
    flat = weight.detach().reshape(-1).to(torch.float32)
    n = flat.numel()
    block = torch.arange(n, device=flat.device) // block_size
    absmax = torch.zeros(-(-n // block_size), device=flat.device).scatter_reduce_(0, block, flat.abs(), "amax")
    scale = torch.where(absmax == 0, torch.ones_like(absmax), absmax)
    middles = ((LEVELS[1:] + LEVELS[:-1]) / 2).to(flat.device)
    codes = torch.bucketize(flat / scale[block], middles).to(torch.uint8)
    rows = [F.pad(row, (0, len(row) % 2), value=7) for row in codes.split(block_size)]
    pairs = torch.cat(rows).view(-1, 2)
    return NF4(pairs[:, 0] * 16 + pairs[:, 1], absmax, weight.shape, block_size)


def dequantize_nf4(q: NF4, dtype: torch.dtype = torch.float32) -> Tensor:
    """Turn codes back into values: the level of each code times the absmax of its block.

    Args:
        q: as `quantize_nf4` returns it; not changed.
        dtype: any floating dtype.

    Returns:
        A tensor of the shape `q.shape` and of this dtype, on the device of the codes. The product is computed in at
        least float32 and only then converted to `dtype`. A block of absmax 0 comes back as exact zeros.

    Method: QLoRA, section 3, the function doubleDequant without its second quantization.
    """
    n = q.shape.numel()
    codes = torch.stack([q.codes // 16, q.codes % 16], dim=1).flatten()
    even = q.block_size + q.block_size % 2
    codes = torch.cat([part[: q.block_size] for part in codes.split(even)])[:n].long()
    work = torch.float64 if dtype == torch.float64 else torch.float32
    levels = LEVELS.to(device=q.codes.device, dtype=work)
    scale = q.absmax.to(work).repeat_interleave(q.block_size)[:n]
    return (levels[codes] * scale).to(dtype).reshape(q.shape)
