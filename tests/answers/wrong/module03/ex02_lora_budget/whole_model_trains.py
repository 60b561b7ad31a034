# names: optimizer-for-frozen
# breaks: "Only trainable parameters have gradients and optimizer state"
import math
from typing import NamedTuple


class Memory(NamedTuple):
    weights: int
    gradients: int
    optimizer: int
    total: int


def lora_parameters(shapes, r, target_modules):
    total = 0
    for name, (o, i) in shapes.items():
        if any(name == t or name.endswith("." + t) for t in target_modules):
            total += r * (o + i)
    if total == 0:
        raise ValueError(f"nothing matches {target_modules}")
    return total


def training_memory(
    frozen, trainable, *, frozen_bits=16, trainable_bits=32, optimizer="adamw", block_size=64, double_quant=False
):
    per = {"adamw": 8, "adamw_8bit": 2, "sgd_momentum": 4, "sgd": 0}
    if optimizer not in per:
        raise ValueError(optimizer)
    extra = 0
    if frozen_bits == 4:
        extra = 8 / block_size + 32 / 256 / block_size if double_quant else 32 / block_size
    w = math.ceil(frozen * (frozen_bits + extra) / 8 + trainable * trainable_bits / 8)
    g = trainable * trainable_bits // 8
    o = (frozen + trainable) * per[optimizer]
    return Memory(w, g, o, w + g + o)
