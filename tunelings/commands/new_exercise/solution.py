"""SCAFFOLD_NUMBER · SCAFFOLD_TITLE: TODO(new) one line that says what it is for."""

from torch import Tensor


# TODO(new): your function. The example doubles, so that each file around it is true of something.
def SCAFFOLD_NAME(x: Tensor) -> Tensor:
    """Twice each number of x, in a new tensor of the same shape and dtype; x itself stays as it is."""
    # BEGIN SOLUTION: multiply each number by two.
    return 2 * x
    # END SOLUTION
