# names: rank-capped
# breaks: "A `[r, in]` and B `[out, r]`"
# A rank above the smaller side adds nothing to what B A can be, and so it is cut.

import math
from fractions import Fraction
from typing import NamedTuple


class Memory(NamedTuple):
    """Bytes that stay allocated all through training; `total` is the sum of the other three."""

    weights: int
    gradients: int
    optimizer: int
    total: int


def lora_parameters(shapes, r, target_modules):
    total, found = 0, False
    for name, (out, into) in shapes.items():
        if any(name == t or name.endswith("." + t) for t in target_modules):
            total += min(r, out, into) * (out + into)
            found = True
    if not found:
        raise ValueError(f"no layer matches {target_modules}")
    return total


def training_memory(
    frozen, trainable, *, frozen_bits=16, trainable_bits=32, optimizer="adamw", block_size=64, double_quant=False
):
    sizes = {"adamw": 8, "adamw_8bit": 2, "sgd_momentum": 4, "sgd": 0}
    if optimizer not in sizes:
        raise ValueError(f"unknown optimizer {optimizer}")
    bits = Fraction(frozen_bits)
    if frozen_bits == 4:
        if double_quant:
            bits += Fraction(8, block_size) + Fraction(32, 256 * block_size)
        else:
            bits += Fraction(32, block_size)
    weights = math.ceil((frozen * bits + trainable * trainable_bits) / 8)
    gradients = math.ceil(Fraction(trainable * trainable_bits, 8))
    state = trainable * sizes[optimizer]
    return Memory(weights, gradients, state, weights + gradients + state)
