# names: unlisted
# breaks: "Step counters and the constants of the 8-bit states are left out"
# Counts the float32 that each block of 256 numbers of an 8-bit state shares, as bitsandbytes keeps it.
import math
from collections import namedtuple
from fractions import Fraction

Memory = namedtuple("Memory", "weights gradients optimizer total")


def lora_parameters(shapes, r, target_modules):
    count, found = 0, False
    for name, (n_out, n_in) in shapes.items():
        if any(f".{name}".endswith(f".{entry}") for entry in target_modules):
            count, found = count + r * (n_in + n_out), True
    if not found:
        raise ValueError(f"no layer for {target_modules}")
    return count


def training_memory(
    frozen,
    trainable,
    *,
    frozen_bits=16,
    trainable_bits=32,
    optimizer="adamw",
    block_size=64,
    double_quant=False,
):
    if optimizer not in ("adamw", "adamw_8bit", "sgd_momentum", "sgd"):
        raise ValueError(f"{optimizer} is none of the four")
    scale = Fraction(0)
    if frozen_bits == 4:
        scale = Fraction(8 + Fraction(32, 256) if double_quant else 32) / block_size
    weights = math.ceil((frozen * (frozen_bits + scale) + trainable * trainable_bits) / 8)
    gradients = trainable * trainable_bits // 8
    each = {"adamw": 8, "adamw_8bit": 2 + Fraction(8, 256), "sgd_momentum": 4, "sgd": 0}[optimizer]
    state = math.ceil(trainable * each)
    return Memory(weights, gradients, state, weights + gradients + state)
