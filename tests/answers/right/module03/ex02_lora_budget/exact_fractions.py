"""Fractions throughout, so that nothing is rounded before the end; a loop with break; a plain class as result."""

from fractions import Fraction
from types import SimpleNamespace

STATE = {"sgd": 0, "sgd_momentum": 4, "adamw": 8, "adamw_8bit": 2}


def lora_parameters(shapes, r, target_modules):
    total, found = 0, False
    for name in shapes:
        for entry in target_modules:
            if ("." + name).endswith("." + entry):
                rows, columns = shapes[name]
                total += r * columns + rows * r
                found = True
                break
    if not found:
        raise ValueError(f"no layer matches {', '.join(target_modules) or 'an empty list'}")
    return total


def up(value):
    return -int(-value // 1)


def training_memory(
    frozen, trainable, *, frozen_bits=16, trainable_bits=32, optimizer="adamw", block_size=64, double_quant=False
):
    try:
        each = STATE[optimizer]
    except KeyError:
        raise ValueError(f"no optimizer {optimizer}") from None
    width = Fraction(frozen_bits)
    if frozen_bits == 4 and double_quant:
        width += Fraction(8, block_size) + Fraction(32, 256 * block_size)
    elif frozen_bits == 4:
        width += Fraction(32, block_size)
    weights = up((frozen * width + trainable * trainable_bits) / 8)
    gradients = up(Fraction(trainable * trainable_bits, 8))
    return SimpleNamespace(
        weights=weights, gradients=gradients, optimizer=each * trainable, total=weights + gradients + each * trainable
    )
