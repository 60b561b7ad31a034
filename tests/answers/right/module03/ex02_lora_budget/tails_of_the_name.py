import math
from fractions import Fraction
from typing import NamedTuple

STATES = {"adamw": 8, "adamw_8bit": 2, "sgd_momentum": 4, "sgd": 0}


class Memory(NamedTuple):
    weights: int
    gradients: int
    optimizer: int
    total: int


def lora_parameters(shapes: dict[str, tuple[int, int]], r: int, target_modules: list[str]) -> int:
    def tails(name: str) -> set[str]:
        parts = name.split(".")
        return {".".join(parts[start:]) for start in range(len(parts))}

    wanted = frozenset(target_modules)
    matched = {name for name in shapes if tails(name) & wanted}
    if len(matched) == 0:
        raise ValueError("no layer for " + repr(list(target_modules)))
    return sum(math.prod((r, sum(shapes[name]))) for name in matched)


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
    try:
        state_bytes = STATES[optimizer]
    except KeyError:
        raise ValueError(f"optimizer {optimizer} is not one of {sorted(STATES)}") from None
    scale_bits = Fraction(0)
    if frozen_bits == 4:
        per_scale = 8 + Fraction(32, 256) if double_quant else 32
        scale_bits = Fraction(per_scale) / block_size
    exact = (
        (frozen * (frozen_bits + scale_bits) + trainable * trainable_bits) / Fraction(8),
        Fraction(trainable * trainable_bits, 8),
        Fraction(trainable * state_bytes),
    )
    rounded = [math.ceil(part) for part in exact]
    return Memory(*rounded, total=sum(rounded))
