"""SCAFFOLD_NUMBER: what the answer must do."""

import torch

from tunelings import expect
from tunelings.inputs import randn


# TODO(new): your checks; the one that explains most comes first.
def test_each_number_is_doubled(answer):
    x = randn(3, 7)
    by_hand = x + x
    expect.note("x", x.flatten())
    expect.close(answer.SCAFFOLD_NAME(x), by_hand, what="twice a 3 x 7 matrix")


def test_the_input_stays_as_it_is(answer):
    x = randn(5)
    with expect.unchanged("the input", x):
        answer.SCAFFOLD_NAME(x)


def test_the_dtype_stays(answer):
    x = randn(4, dtype=torch.float32)
    expect.tensor(answer.SCAFFOLD_NAME(x), "twice four float32 numbers", dtype=torch.float32)
