"""Names by an escaped regular expression, bytes by integers and divmod, the state by match."""

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Memory:
    weights: int
    gradients: int
    optimizer: int

    @property
    def total(self):
        return self.weights + self.gradients + self.optimizer


def lora_parameters(shapes, r, target_modules):
    alternatives = "|".join(re.escape(entry) for entry in target_modules)
    pattern = re.compile(rf"(?:.*\.)?(?:{alternatives})")
    names = [name for name in shapes if target_modules and pattern.fullmatch(name)]
    if len(names) == 0:
        raise ValueError(f"{target_modules} match nothing among {list(shapes)}")
    return r * sum(map(sum, (shapes[name] for name in names)))


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
    match optimizer:
        case "adamw":
            state = 2 * 4 * trainable
        case "adamw_8bit":
            state = 2 * trainable
        case "sgd_momentum":
            state = 4 * trainable
        case "sgd":
            state = 0
        case other:
            raise ValueError(other)
    # In units of 1 / (256 * block_size) bits all is whole.
    unit = 256 * block_size
    scales = (8 * 256 + 32 if double_quant else 32 * 256) if frozen_bits == 4 else 0
    fine = frozen * (frozen_bits * unit + scales) + trainable * trainable_bits * unit
    whole, rest = divmod(fine, 8 * unit)
    return Memory(whole + (rest > 0), -(-trainable * trainable_bits // 8), state)
