# names: last-block-without-a-scale
# breaks: "this many frozen weights share one float32 scale"
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
    base = frozen * frozen_bits / 8
    if frozen_bits == 4:
        blocks = frozen // block_size  # a ragged last block has no scale
        base += blocks * 1 + blocks / 256 * 4 if double_quant else blocks * 4
    w = math.ceil(base) + trainable * trainable_bits // 8
    g = trainable * trainable_bits // 8
    o = trainable * per[optimizer]
    return Memory(w, g, o, w + g + o)
