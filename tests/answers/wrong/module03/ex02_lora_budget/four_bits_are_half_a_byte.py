# names: scales-left-out
# breaks: "so each weight takes 32 / block_size extra bits"
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


def ceil_div(a, b):
    return (a + b - 1) // b


def training_memory(frozen, trainable, *, frozen_bits=16, trainable_bits=32, optimizer="adamw", **_):
    if optimizer not in ("adamw", "adamw_8bit", "sgd_momentum", "sgd"):
        raise ValueError(optimizer)
    w = ceil_div(frozen * frozen_bits, 8) + ceil_div(trainable * trainable_bits, 8)
    g = ceil_div(trainable * trainable_bits, 8)
    o = trainable * {"adamw": 8, "adamw_8bit": 2, "sgd_momentum": 4, "sgd": 0}[optimizer]
    return Memory(w, g, o, w + g + o)
