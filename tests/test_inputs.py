"""The inputs of checks: the same in every run of one seed, and others for each other seed and offset."""

from __future__ import annotations

import pytest
import torch

from tunelings import inputs


@pytest.fixture(autouse=True)
def seed_0():
    yield
    inputs.set_seed(0)


def drawn(seed: int, offset: int) -> float:
    inputs.set_seed(seed)
    return inputs.randn(offset=offset).item()


def test_each_seed_and_offset_draws_its_own_numbers():
    pairs = [(seed, offset) for seed in range(5) for offset in range(5)]
    first = [drawn(*pair) for pair in pairs]
    assert len(set(first)) == len(pairs)
    assert [drawn(*pair) for pair in pairs] == first


def test_what_an_answer_draws_changes_no_input():
    before = drawn(0, 3)
    torch.manual_seed(99)
    torch.rand(7)
    assert drawn(0, 3) == before
    state = torch.get_rng_state()
    inputs.randint(0, 10, (4,), 1)
    assert torch.equal(torch.get_rng_state(), state)


def test_dtype_and_bounds():
    assert inputs.randn(2, 3).dtype == torch.float64 and inputs.randn(2, 3, dtype=torch.float16).dtype == torch.float16
    numbers = inputs.randint(2, 5, (300,))
    assert numbers.dtype == torch.int64 and set(numbers.tolist()) == {2, 3, 4}
