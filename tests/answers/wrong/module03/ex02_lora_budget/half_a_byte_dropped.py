# names: codes-rounded-down
# breaks: "rounded up to a whole number once, at the end"
# 16 k + 15 weights: half a byte of codes and nearly a whole one of scales.

import math
from fractions import Fraction
from typing import NamedTuple


class Memory(NamedTuple):
    weights: int
    gradients: int
    optimizer: int
    total: int


def lora_parameters(shapes: dict[str, tuple[int, int]], r: int, target_modules: list[str]) -> int:
    matched = [
        shape
        for name, shape in shapes.items()
        if any(name == entry or name.endswith("." + entry) for entry in target_modules)
    ]
    if not matched:
        raise ValueError(f"none of {target_modules} is the name, or the end of the name, of a layer")
    return sum(r * (n_in + n_out) for n_out, n_in in matched)


def training_memory(
    frozen: int,
    trainable: int,
    *,
    frozen_bits: int = 16,
    trainable_bits: int = 32,
    optimizer: str = "adamw",
    block_size: int = 64,
    double_quant: bool = False,
) -> Memory:
    optimizer_bytes = {"adamw": 8, "adamw_8bit": 2, "sgd_momentum": 4, "sgd": 0}
    if optimizer not in optimizer_bytes:
        raise ValueError(f"unknown optimizer {optimizer!r}, expected one of {list(optimizer_bytes)}")
    bits = frozen_bits
    block_size = Fraction(block_size)  # As a float, 432 weights of 4 + 32 / 48 bits are a little more than 252 bytes.
    if frozen_bits == 4:
        bits += 8 / block_size + 32 / (256 * block_size) if double_quant else 32 / block_size
    scales = frozen * (bits - frozen_bits) / 8
    weights = math.ceil(frozen * frozen_bits // 8 + scales + trainable * trainable_bits / 8)
    gradients = math.ceil(trainable * trainable_bits / 8)
    state = trainable * optimizer_bytes[optimizer]
    return Memory(weights, gradients, state, weights + gradients + state)
