# names: last-part-only
# breaks: "may contain dots"
import math
from fractions import Fraction
from typing import NamedTuple


class Memory(NamedTuple):
    weights: int
    gradients: int
    optimizer: int
    total: int


def lora_parameters(shapes: dict[str, tuple[int, int]], r: int, target_modules: list[str]) -> int:
    wanted = set(target_modules)
    count = 0
    found = False
    for name, (rows, columns) in shapes.items():
        if name.split(".")[-1] in wanted or name in wanted:
            found = True
            count += r * rows + r * columns
    if not found:
        raise ValueError(f"nothing matches {target_modules}")
    return count


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
    per_parameter = {"adamw": 8, "adamw_8bit": 2, "sgd_momentum": 4, "sgd": 0}
    if optimizer not in per_parameter:
        raise ValueError(f"unknown optimizer {optimizer!r}")
    bits = Fraction(frozen_bits)
    if frozen_bits == 4:
        if double_quant:
            bits += Fraction(8, block_size) + Fraction(32, 256 * block_size)
        else:
            bits += Fraction(32, block_size)
    weights = math.ceil((frozen * bits + trainable * trainable_bits) / 8)
    gradients = math.ceil(Fraction(trainable * trainable_bits, 8))
    state = trainable * per_parameter[optimizer]
    return Memory(weights, gradients, state, weights + gradients + state)
