# names: master-copy-counted
# breaks: "whatever trainable_bits is"
import math
from typing import NamedTuple


class Memory(NamedTuple):
    weights: int
    gradients: int
    optimizer: int
    total: int


def lora_parameters(shapes, r, target_modules):
    picked = [s for n, s in shapes.items() if any(("." + n).endswith("." + t) for t in target_modules)]
    if not picked:
        raise ValueError(f"{target_modules}")
    return sum(r * (a + b) for a, b in picked)


def training_memory(
    frozen, trainable, *, frozen_bits=16, trainable_bits=32, optimizer="adamw", block_size=64, double_quant=False
):
    per = {"adamw": 8, "adamw_8bit": 2, "sgd_momentum": 4, "sgd": 0}
    if optimizer not in per:
        raise ValueError(optimizer)
    if trainable_bits == 16:
        per = {name: n + 4 for name, n in per.items()}  # a float32 copy of the weights
    bits = frozen_bits
    if frozen_bits == 4:
        bits += (8 + 32 / 256) / block_size if double_quant else 32 / block_size
    w = math.ceil((frozen * bits + trainable * trainable_bits) / 8)
    g = trainable * trainable_bits // 8
    o = trainable * per[optimizer]
    return Memory(w, g, o, w + g + o)
