"""In bytes from the start, weights of base and adapter apart, a set of matched names."""

from fractions import Fraction
from math import ceil
from typing import NamedTuple


class Memory(NamedTuple):
    weights: int
    gradients: int
    optimizer: int
    total: int


def matches(name, entry):
    return name == entry or name.endswith(f".{entry}")


def lora_parameters(shapes, r, target_modules):
    chosen = set()
    for entry in target_modules:
        chosen.update(name for name in shapes if matches(name, entry))
    if not chosen:
        raise ValueError(f"target_modules={target_modules} is nowhere in the model")
    a = sum(r * shapes[name][1] for name in chosen)
    b = sum(shapes[name][0] * r for name in chosen)
    return a + b


def bytes_per_frozen(bits, block_size, double_quant):
    if bits != 4:
        return bits / 8
    if double_quant:
        return Fraction(1, 2) + Fraction(1 + Fraction(4, 256), block_size)
    return Fraction(1, 2) + Fraction(4, block_size)


def training_memory(
    frozen, trainable, *, frozen_bits=16, trainable_bits=32, optimizer="adamw", block_size=64, double_quant=False
):
    state = {"adamw": 4 + 4, "adamw_8bit": 1 + 1, "sgd_momentum": 4, "sgd": 0}.get(optimizer)
    if state is None:
        raise ValueError(f"{optimizer!r} is not known")
    base = frozen * bytes_per_frozen(frozen_bits, block_size, double_quant)
    adapter = trainable * (trainable_bits // 8)
    parts = [ceil(base) + adapter, adapter, trainable * state]
    return Memory(*parts, total=sum(parts))
