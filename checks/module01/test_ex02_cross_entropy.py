"""1.02: the definition by Python's math, torch's own loss where it is defined, and the edges where it is not.

An answer may compute in float32 whatever comes in, so tolerances are those of float32 throughout.

Long: 20 checks, most with a few lines of their own.
"""

import math
import warnings

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from tunelings import expect
from tunelings.handson.awkward.models import OtherDefaultDevice
from tunelings.inputs import randint, randn

FORBIDDEN = ("cross_entropy", "cross_entropy_loss", "nll_loss", "nll_loss_nd", "log_softmax", "special_log_softmax")


def by_definition(row, target):
    """-log of the target's share of the exponentials, in Python floats."""
    exponentials = [math.exp(z) for z in row.tolist()]
    return -math.log(exponentials[target] / sum(exponentials))


def mean_loss(logits, targets):
    """The mean over the rows by the definition."""
    losses = [by_definition(row, int(target)) for row, target in zip(logits, targets, strict=True)]
    return sum(losses) / len(losses)


def shown(logits, targets):
    """The input as a failure shows it: rows of logits, which are shorter than a matrix."""
    return {"targets": targets, "logits": list(logits.detach())}


def loss_of(answer, logits, targets, **options):
    """The answer's loss, which must be a scalar tensor; logits and targets must be as they were."""
    expect.case(**shown(logits, targets), **options)
    with expect.untouched("what was given", {"logits": logits, "targets": targets}):
        loss = answer.cross_entropy(logits, targets, **options)
    return expect.tensor(loss, what="the loss", shape=())


def close(actual, expected, what, scale, terms=20, **given):
    """`given` is the input, where the answer was called more than once; else it's that of the last call."""
    options = {"terms": terms, "dtype": torch.float32, "given": given or None}
    expect.close(actual, expected, what=what, scale=scale, **options)


def gradient_of(answer, logits, targets, times=1.0):
    """The gradient of `times` the answer's loss, which must be attached to the graph of the logits."""
    leaf = logits.clone().requires_grad_()
    loss = loss_of(answer, leaf, targets)
    expect.true(
        loss.requires_grad,
        what="the loss, which must be attached to the graph",
        actual=loss,
        expected="a loss that backward() can start from",
    )
    (gradient,) = torch.autograd.grad(times * loss, leaf, allow_unused=True)
    expect.true(
        gradient is not None,
        what="the graph of the loss, which must lead back to the logits",
        actual=loss,
        expected="a loss computed from the logits",
    )
    return gradient


def torch_gradient(logits, targets, times=1.0):
    """The same of torch's own loss."""
    leaf = logits.clone().requires_grad_()
    return torch.autograd.grad(times * F.cross_entropy(leaf, targets), leaf)[0]


def test_the_loss_of_a_row_is_minus_the_log_of_its_targets_share(answer):
    logits, targets = 2 * randn(3, 7, offset=1), randint(0, 7, [3], offset=2)
    expected = [by_definition(logits[i], int(targets[i])) for i in range(3)]
    expect.note("target_logits", logits[range(3), targets])
    try:  # For the diagnosis alone: which shape the loss of several rows has.
        expect.note("three_rows", list(getattr(answer.cross_entropy(logits.clone(), targets.clone()), "shape", [])))
    except (IndexError, RuntimeError):
        expect.note("three_rows", "an error")
    mine = torch.stack([loss_of(answer, logits[i : i + 1], targets[i : i + 1]) for i in range(3)])
    what = "the losses of three batches, each of one of these rows"
    close(mine, expected, what=what, scale=10, **shown(logits, targets))


def test_the_loss_of_a_batch_is_the_mean_over_its_rows(answer):
    logits, targets = 2 * randn(5, 3, offset=3), randint(0, 3, [5], offset=4)
    expect.note("rows", 5)
    expected = mean_loss(logits, targets)
    close(loss_of(answer, logits, targets), expected, what="the loss of a batch of 5 rows", scale=10)
    square, targets = 2 * randn(4, 4, offset=5), randint(0, 4, [4], offset=6)
    expected = mean_loss(square.T, targets)
    close(loss_of(answer, square.T, targets), expected, what="the loss of 4 rows of 4 classes, transposed", scale=10)
    wide, targets = 2 * randn(3, 10, offset=25), randint(0, 5, [3], offset=26)
    expected = mean_loss(wide[:, ::2], targets)
    close(
        loss_of(answer, wide[:, ::2], targets), expected, what="the loss of every second column of a tensor", scale=10
    )


def test_torchs_own_loss_is_not_called(answer):
    look_for_torchs_own(answer, randint(0, 7, [3], offset=8))


def look_for_torchs_own(answer, targets):
    with Recorder() as recorder:
        loss_of(answer, randn(3, 7, offset=7), targets)
    expect.equal(recorder.called, [], what="the calls that are not allowed here", given={"targets": targets})


class Recorder(TorchFunctionMode):
    """Notes the first call of torch's own loss, wherever it comes from."""

    def __init__(self):
        super().__init__()
        self.called = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        if name in FORBIDDEN and not self.called:
            self.called.append(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # They would name the next line instead of the answer's.
            return func(*args, **(kwargs or {}))


def test_large_logits_give_a_finite_loss(answer):
    logits, targets = large_logits()
    expected = F.cross_entropy(logits, targets, reduction="none")
    mine = torch.stack([loss_of(answer, logits[i : i + 1], targets[i : i + 1]) for i in range(4)])
    expect.note("ends_where_exp_overflows", ends_where_exp_overflows(answer))
    given = shown(logits, targets)
    close(mine, expected, what="the losses of four single rows with logits up to 1e4", scale=1e4, terms=4, **given)
    together = torch.stack([loss_of(answer, logits[[1, 2]], targets[[1, 2]]), loss_of(answer, logits, targets)])
    expected = torch.stack([expected[1:3].mean(), expected.mean()])
    what = "the losses of rows 1 and 2, and of all four rows, which mix 1e4 with -1e4"
    close(together, expected, what=what, scale=1e4, terms=8, **given)


def ends_where_exp_overflows(answer):
    """For the diagnosis: whether the loss of one row is infinite beyond a gap of 88 (float32) or 709 (float64)."""
    rows = {gap: torch.tensor([[gap, 0.0]], dtype=torch.float64) for gap in (85, 95, 705, 725)}
    finite = {gap: bool(loss_of(answer, row, torch.tensor([1])).isfinite()) for gap, row in rows.items()}
    return finite[85] != finite[95] or finite[705] != finite[725]


def large_logits():
    """Four rows of four classes: all near 1e4, all near -1e4, target far below the maximum, target at it.

    Multiples of 1/16, which float32 holds exactly at this size.
    """
    small = (randn(4, 4, offset=9) * 16).round() / 16
    signs = torch.tensor([[1, 1, 1, 1], [-1, -1, -1, -1], [1, -1, 0, -1], [0, -1, -1, 1]])
    return small + 9990 * signs, torch.tensor([2, 0, 1, 3])


def test_ignored_rows_count_neither_in_the_sum_nor_in_the_number(answer):
    logits, targets = 2 * randn(7, 4, offset=11), randint(0, 4, [7], offset=12)
    ignored = torch.tensor([True, False, False, True, True, False, False])
    expected = mean_loss(logits[~ignored], targets[~ignored])
    try:  # For the diagnosis alone: some answers err only where a row that counts follows.
        expect.note("at_the_end", answer.cross_entropy(logits.clone(), targets.masked_fill(torch.arange(7) > 3, -100)))
    except (IndexError, RuntimeError):
        expect.note("at_the_end", "an error")
    loss = loss_of(answer, logits, targets.masked_fill(ignored, -100))
    close(loss, expected, what="the loss where 3 of 7 rows are ignored", scale=10)
    loss = loss_of(answer, logits, targets.masked_fill(ignored, -1), ignore_index=-1)
    close(loss, expected, what="the loss where ignore_index is -1", scale=10)


def test_ignore_index_may_be_a_valid_class(answer):
    logits, targets = 2 * randn(7, 4, offset=13), torch.tensor([2, 0, 2, 1, 3, 2, 0])
    expected = mean_loss(logits[targets != 2], targets[targets != 2])
    loss = loss_of(answer, logits, targets, ignore_index=2)
    close(loss, expected, what="the loss of 7 rows where class 2 is ignored", scale=10)
    expected = mean_loss(logits[targets != 0], targets[targets != 0])
    loss = loss_of(answer, logits, targets, ignore_index=0)
    close(loss, expected, what="the loss of 7 rows where class 0 is ignored", scale=10)


def test_ignore_index_may_lie_beyond_the_classes(answer):
    logits, targets = 2 * randn(7, 4, offset=11), torch.tensor([255, 0, 2, 255, 255, 3, 1])
    expected = mean_loss(logits[targets != 255], targets[targets != 255])
    loss = loss_of(answer, logits, targets, ignore_index=255)
    close(loss, expected, what="the loss where ignore_index is 255", scale=10)
    huge = 2**40 + 1  # As an int32 it is 1.
    loss = loss_of(answer, logits, targets.masked_fill(targets == 255, huge), ignore_index=huge)
    close(loss, expected, what="the loss where ignore_index is 2**40 + 1", scale=10)


def test_neither_logits_nor_targets_are_changed(answer):
    logits, targets = 2 * randn(5, 4, offset=21), torch.tensor([3, -100, 0, 1, -100])
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        loss_of(answer, logits.to(dtype, copy=True), targets.clone())


def test_the_gradient_is_softmax_minus_one_hot_over_the_count(answer):
    logits, targets = 2 * randn(3, 7, offset=17), randint(0, 7, [3], offset=18)
    gradient = gradient_of(answer, logits, targets)
    close(gradient, torch_gradient(logits, targets), what="the gradient of the logits", scale=1)
    logits, targets = 2 * randn(5, 4, offset=19), torch.tensor([3, -100, 0, 1, -100])
    gradient, expected = gradient_of(answer, logits, targets, 2.5), torch_gradient(logits, targets, 2.5)
    close(gradient, expected, what="the gradient of 2.5 × the loss, rows 1 and 4 ignored", scale=2.5)
    ignored = targets == -100
    expect.close(gradient[ignored], torch.zeros(2, 4), what="the gradient of the ignored rows")


def test_no_counted_row_gives_zero(answer):
    logits, targets = 2 * randn(3, 5, offset=15), torch.tensor([-100, -100, -100])
    losses = [loss_of(answer, logits, targets), loss_of(answer, logits[:0], targets[:0])]
    given = shown(logits, targets)
    what = "the losses where all rows are ignored, and of no rows"
    expect.close(torch.stack(losses), [0.0, 0.0], what=what, given=given)
    gradient = gradient_of(answer, logits, targets)
    expect.close(gradient, torch.zeros(3, 5), what="the gradient where all rows are ignored")
    gradient_of(answer, logits[:0], targets[:0])
    none_counts = torch.full((8,), -100)
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        large = torch.full((8, 8), 1e4, dtype=dtype)  # In float16 the sum of a row or a column is beyond 65504.
        losses = [loss_of(answer, large, none_counts), loss_of(answer, large[:0], none_counts[:0])]
        what = f"the losses of no counted row and of no row, {dtype} logits of 1e4"
        expect.close(torch.stack(losses).float(), [0.0, 0.0], what=what, given=shown(large, none_counts))


def test_torchs_own_loss_is_not_called_for_ignored_rows(answer):
    look_for_torchs_own(answer, torch.tensor([2, -100, 0]))
    look_for_torchs_own(answer, torch.full((3,), -100))


def test_large_logits_give_a_finite_gradient(answer):
    logits, targets = large_logits()
    gradient = gradient_of(answer, logits, targets)
    expected = torch_gradient(logits, targets)
    # softmax = exp(z - logsumexp): the logsumexp is rounded at 1e4, and the exponential is off in proportion.
    close(gradient, expected, what="the gradient for logits up to 1e4", scale=1e4, terms=2)


def test_half_precision_is_computed_in_float32(answer):
    for dtype in (torch.bfloat16, torch.float16):
        logits, targets = torch.tensor(CONFIDENT, dtype=dtype), torch.tensor([2, 0, 1])
        expected = F.cross_entropy(logits.double(), targets, reduction="none")
        for i, (name, right) in enumerate(zip(("first", "second", "third"), expected, strict=True)):
            loss = loss_of(answer, logits[i : i + 1], targets[i : i + 1])
            # One rounding to the half precision (eps/2), after an error of float32 that is far smaller.
            expect.close(loss, right, what=f"the loss of the {name} {dtype} row", terms=4, dtype=dtype)


# The share of everything but the target is smaller than the eps of bfloat16, or of float16, beside 1.
CONFIDENT = [[0.5, 1.0, 8.0, 0.0, 0.25], [2.0, -6.5, -7.0, -8.0, -6.0], [-3.0, 6.0, -2.0, -4.0, -2.5]]


def test_the_dtype_of_the_logits_is_kept(answer):
    for dtype in (torch.bfloat16, torch.float16, torch.float32, torch.float64):
        for targets in ([3, -100, 0], [-100, -100, -100], []):
            logits = randn(3, 4, offset=23, dtype=dtype)[: len(targets)]
            loss = loss_of(answer, logits, torch.tensor(targets, dtype=torch.int64))
            expect.tensor(loss, what=f"the loss of {dtype} logits, targets {targets}", dtype=dtype, shape=())


def test_the_loss_is_on_the_device_of_the_logits(answer):
    for targets in (torch.tensor([3, -100, 0]), torch.tensor([-100, -100, -100])):
        logits = randn(3, 4, offset=27)
        with OtherDefaultDevice():
            loss = loss_of(answer, logits, targets)
        expect.equal(str(loss.device), "cpu", what="the device of the loss (logits: cpu, torch's default: meta)")


def test_the_mean_of_half_precision_rows_is_rounded_once(answer):
    """The losses are 4.013, 4.013 and 4.044, their mean is 4.0233, and bfloat16 has 4 and 4.03125 there."""
    logits = torch.tensor([[0.0052, 4.0], [0.0052, 4.0], [-0.0263, 4.0]], dtype=torch.bfloat16)
    loss = loss_of(answer, logits, torch.tensor([0, 0, 0]))
    expect.equal(loss.item(), 4.03125, what="the loss of three bfloat16 rows")


def test_a_single_class_costs_nothing(answer):
    logits, targets = randn(3, 1, offset=28), torch.tensor([0, -100, 0])
    expect.close(loss_of(answer, logits, targets), 0.0, what="the loss where there is one class")
    expect.close(gradient_of(answer, logits, targets), torch.zeros(3, 1), what="the gradient where there is one class")


def test_many_rows_share_one_mean(answer):
    logits, targets = 2 * randn(301, 3, offset=30), randint(0, 3, [301], offset=31)
    logits[256:] *= 4  # What is left over by pieces of 256 rows weighs no more than the rest.
    expected = mean_loss(logits, targets)
    close(loss_of(answer, logits, targets), expected, what="the loss of a batch of 301 rows", scale=20, terms=40)
    logits, targets = 2 * randn(2501, 3, offset=32), randint(0, 3, [2501], offset=33)  # Float16 has no 2501.
    expected = mean_loss(logits, targets)
    close(loss_of(answer, logits, targets), expected, what="the loss of a batch of 2501 rows", scale=20, terms=40)


def test_half_precision_differences_are_not_rounded(answer):
    """The gaps of 7.985 (bfloat16) and 7.9981 (float16) would both be rounded to 8."""
    for dtype, small in ((torch.bfloat16, 0.015), (torch.float16, 0.0019)):
        logits = torch.tensor([[8.0] + 200 * [small]], dtype=dtype)
        expected = F.cross_entropy(logits.double(), torch.tensor([0])).to(dtype)
        loss = loss_of(answer, logits, torch.tensor([0]))
        expect.equal(loss.item(), float(expected), what=f"the loss of a {dtype} row of 201 classes")


def test_half_precision_rows_are_counted_exactly(answer):
    """Of 257 rows with two equal logits each costs ln 2; bfloat16 has 256 and 258, and no 257."""
    targets = torch.zeros(260, dtype=torch.int64)
    targets[[3, 100, 259]] = -100
    loss = loss_of(answer, torch.zeros(260, 2, dtype=torch.bfloat16), targets)
    expected = float(torch.tensor(math.log(2), dtype=torch.bfloat16))
    expect.equal(loss.item(), expected, what="the loss of 257 bfloat16 rows that count and 3 that don't")
