"""Loops in Python, one block after the other, on lists of numbers; the higher of two equally near levels."""

from types import SimpleNamespace

import torch

TABLE = [
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
    -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
    0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
]  # fmt: skip


def quantize_nf4(weight, block_size=64):
    numbers = weight.detach().float().contiguous().view(-1).tolist()
    if not numbers:
        raise ValueError(f"nothing to quantize in {weight.shape}")
    codes, scales = [], []
    for start in range(0, len(numbers), block_size):
        block = numbers[start : start + block_size]
        scale = max(map(abs, block))
        scales.append(scale)
        for number in block:
            x = number / scale if scale else 0.0
            codes.append(min(reversed(range(16)), key=lambda i, x=x: abs(TABLE[i] - x)))
    if len(codes) % 2:
        codes.append(7)
    packed = [16 * a + b for a, b in zip(codes[::2], codes[1::2], strict=True)]
    return SimpleNamespace(
        codes=torch.tensor(packed, dtype=torch.uint8, device=weight.device),
        absmax=torch.tensor(scales, device=weight.device),
        shape=tuple(weight.shape),
        block_size=block_size,
    )


def dequantize_nf4(q, dtype=torch.float32):
    codes = []
    for byte in q.codes.tolist():
        codes += divmod(byte, 16)
    scales = q.absmax.tolist()
    n = 1
    for size in q.shape:
        n *= size
    values = [TABLE[codes[i]] * scales[i // q.block_size] for i in range(n)]
    return torch.tensor(values, dtype=torch.float64, device=q.codes.device).reshape(q.shape).to(dtype)
