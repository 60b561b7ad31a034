# names: optimizer-in-any-case
# breaks: "an optimizer that is not one of the four"
from typing import NamedTuple


class Memory(NamedTuple):
    weights: int
    gradients: int
    optimizer: int
    total: int


def _fits(name, entry):
    return name == entry or name.endswith("." + entry)


def lora_parameters(shapes, r, target_modules):
    chosen = {name for name in shapes for entry in target_modules if _fits(name, entry)}
    if not chosen:
        raise ValueError(f"no layer is called {target_modules}")
    return sum(r * sum(shapes[name]) for name in chosen)


def training_memory(
    frozen, trainable, *, frozen_bits=16, trainable_bits=32, optimizer="adamw", block_size=64, double_quant=False
):
    table = {"adamw": 8, "adamw_8bit": 2, "sgd_momentum": 4, "sgd": 0}
    optimizer = optimizer.lower()
    if optimizer not in table:
        raise ValueError(f"{optimizer} is not one of {sorted(table)}")
    # All in 1 / (8 * 256 * block_size) of a byte.
    unit = 256 * block_size
    bits = frozen_bits * unit
    if frozen_bits == 4:
        bits += 8 * 256 + 32 if double_quant else 32 * 256
    weights = -(-(frozen * bits + trainable * trainable_bits * unit) // (8 * unit))
    gradients = -(-trainable * trainable_bits // 8)
    state = trainable * table[optimizer]
    return Memory(weights, gradients, state, weights + gradients + state)
