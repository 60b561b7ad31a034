"""Random inputs for checks, the same in every run of one seed.

`--seed N` changes all of them. They are drawn from generators of their own, so that an answer that
draws from torch's global generator gets the same inputs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor

_seed = 0


def set_seed(value: int) -> None:
    """Set the seed of all inputs; called by the grader before a check."""
    global _seed
    _seed = value


def seed(offset: int = 0) -> int:
    """The seed of this run; a different one for each `offset`."""
    return random.Random(f"{_seed}/{offset}").getrandbits(31)


def generator(offset: int = 0) -> torch.Generator:
    """A torch generator with `seed(offset)`."""
    return torch.Generator().manual_seed(seed(offset))


def randn(*shape: int, offset: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Standard normal numbers (one, without a shape); give each tensor of a check its own `offset`."""
    return torch.randn(shape, generator=generator(offset), dtype=torch.float64).to(dtype)


def randint(low: int, high: int, shape: Sequence[int], offset: int = 0) -> Tensor:
    """int64 numbers from low to high - 1."""
    return torch.randint(low, high, tuple(shape), generator=generator(offset))
