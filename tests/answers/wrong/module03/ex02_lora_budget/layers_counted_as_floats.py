# names: count-as-a-float
# breaks: "The number of parameters in all A and B, an int"
from fractions import Fraction
from math import ceil
from typing import NamedTuple


class Memory(NamedTuple):
    weights: int
    gradients: int
    optimizer: int
    total: int


def lora_parameters(shapes, r, target_modules):
    picked = [s for n, s in shapes.items() if any(("." + n).endswith("." + t) for t in target_modules)]
    if not picked:
        raise ValueError(f"nothing matches {target_modules}")
    return sum(r * (out / 1 + into) for out, into in picked)


def training_memory(
    frozen, trainable, *, frozen_bits=16, trainable_bits=32, optimizer="adamw", block_size=64, double_quant=False
):
    per = {"adamw": 8, "adamw_8bit": 2, "sgd_momentum": 4, "sgd": 0}
    if optimizer not in per:
        raise ValueError(f"{optimizer} is none of {list(per)}")
    bits = Fraction(frozen_bits)
    if frozen_bits == 4:
        bits += Fraction(8 + Fraction(32, 256), block_size) if double_quant else Fraction(32, block_size)
    w = ceil((frozen * bits + trainable * trainable_bits) / 8)
    g = ceil(Fraction(trainable * trainable_bits, 8))
    o = trainable * per[optimizer]
    return Memory(w, g, o, w + g + o)
