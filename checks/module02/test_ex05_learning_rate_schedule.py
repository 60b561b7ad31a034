"""2.05: the two curves against tables worked out by hand, then against a walk of small steps for drawn numbers."""

import cmath
from fractions import Fraction

import torch

from tunelings import expect
from tunelings.inputs import randint


def values(function, steps, *settings):
    """The function at each of the steps; each value must be a Python number."""
    return [python_number(function(step, *settings), step, settings) for step in steps]


def python_number(share, step, settings):
    """The share itself; a whole number will do for 0 and 1, a tensor or a number of NumPy's will not."""
    given = {"step": step, **dict(zip(("warmup_steps", "total_steps", "floor"), settings, strict=False))}
    expect.number(share, what=f"the share at step {step}", given=given)
    is_plain = type(share) in (float, int)
    what = f"the type of the share at step {step}"
    expect.true(is_plain, what=what, actual=type(share).__name__, expected="float", given=given)
    return share


def close(actual, expected, what, **given):
    expect.close(actual, [float(value) for value in expected], what=what, terms=20, scale=1.0, given=given)


def drawn_settings(offset):
    """A warm-up and a total that no table knows."""
    warmup = int(randint(5, 30, [1], offset))
    return warmup, warmup + int(randint(20, 90, [1], offset + 1))


def walk_up(warmup):
    """The shares of the warm-up, one equal part after the other."""
    shares = [Fraction(0)]
    while len(shares) < warmup:
        shares.append(shares[-1] + Fraction(1, warmup))
    return shares


def walk_down(steps):
    """From 1 to 0 in equal parts, the last of them 0."""
    shares = [Fraction(1)]
    while len(shares) <= steps:
        shares.append(shares[-1] - Fraction(1, steps))
    return shares


def walk_half_a_circle(steps, floor):
    """The heights of a point that goes round half a circle in equal angles, from 1 at the top to `floor`."""
    turn, point, heights = cmath.rect(1.0, cmath.pi / steps), 1.0 + 0.0j, []
    for _ in range(steps + 1):
        heights.append((1 + floor) / 2 + (1 - floor) / 2 * point.real)
        point = point * turn
    return heights


FITS_NOT = ((37, 37), (41, 37), (-1, 37), (-3, 37), (0, 0))  # warmup_steps, total_steps
MISFITS = [(step, warmup, total) for warmup, total in FITS_NOT for step in (0, 38)]


def outcomes(function, *rest):
    """For each of MISFITS the name of the error that the function raises, or that it returns something."""
    found = []
    for step, warmup, total in MISFITS:
        try:
            function(step, warmup, total, *rest)
            found.append("no error")
        except NotImplementedError:
            raise  # A TODO that is left.
        except Exception as error:
            found.append(type(error).__name__)
    return found


MESSAGES = {"warmup_steps, total_steps": ", ".join(f"{warmup} of {total}" for _, warmup, total in MISFITS)}


def lacking(function, *rest):
    """For each of MISFITS, which of the two numbers are not in the message."""
    found = []
    for step, warmup, total in MISFITS:
        try:
            function(step, warmup, total, *rest)
            found.append(["no error"])
        except ValueError as error:
            found.append([number for number in (warmup, total) if str(number) not in str(error)])
    return found


def test_a_straight_line_up_and_one_down(answer):
    shares = values(answer.warmup_then_linear, range(12), 4, 11)
    down = [Fraction(7 - k, 7) for k in range(8)]
    expect.note("linear_total", 11)
    close(shares, [0, 0.25, 0.5, 0.75, *down], what="the shares of steps 0 to 11: 4 of warm-up, 11 in all")


def test_the_line_for_other_numbers_in_any_order(answer):
    warmup, total = drawn_settings(offset=1)
    expected = walk_up(warmup) + walk_down(total - warmup)
    steps = torch.randperm(total + 1, generator=torch.Generator().manual_seed(total)).tolist()
    shares = dict(zip(steps, values(answer.warmup_then_linear, steps, warmup, total), strict=True))
    what = f"the linear shares of steps 0 to {total}, in order"
    close([shares[step] for step in range(total + 1)], expected, what=what, warmup_steps=warmup, total_steps=total)
    again = values(answer.warmup_then_linear, range(total + 1), warmup, total)
    close(again, expected, what=f"the linear shares of steps 0 to {total}, a second time")


def test_two_lines_do_not_disturb_each_other(answer):
    shares = [values(answer.warmup_then_linear, [step], *fit)[0] for step in range(9) for fit in ((4, 8), (2, 10))]
    first, second = [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0], [0, 0.5, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25]
    expected = [share for pair in zip(first, second, strict=True) for share in pair]
    close(shares, expected, what="the linear shares of steps 0 to 8, in turn for 4 of 8 and for 2 of 10")


def test_the_line_down_may_be_one_step_long(answer):
    shares = values(answer.warmup_then_linear, range(6), 4, 5)
    close(shares, [0, 0.25, 0.5, 0.75, 1, 0], what="the linear shares of steps 0 to 5: 4 of warm-up, 5 in all")


def test_the_line_without_warmup_starts_at_1(answer):
    shares = values(answer.warmup_then_linear, range(6), 0, 5)
    close(shares, [1, 0.8, 0.6, 0.4, 0.2, 0], what="the linear shares of steps 0 to 5 without warm-up")


def test_the_line_stays_at_0_after_the_end(answer):
    shares = values(answer.warmup_then_linear, [11, 12, 14, 25, 400], 4, 11)
    close(shares, [0, 0, 0, 0, 0], what="the linear shares of steps 11, 12, 14, 25 and 400 of 11")


def test_the_line_rejects_a_warmup_that_does_not_fit(answer):
    expect.note("outcomes", outcomes(answer.warmup_then_linear))
    for step, warmup, total in MISFITS:
        expect.raises(
            ValueError,
            lambda: answer.warmup_then_linear(step, warmup, total),  # noqa: B023
            what=f"a linear schedule with {warmup} steps of warm-up in {total}, at step {step}",
        )


def test_the_lines_message_holds_both_numbers(answer):
    what = "the numbers that the messages of the linear schedule lack"
    expect.equal(lacking(answer.warmup_then_linear), [[]] * len(MISFITS), what=what, given=MESSAGES)


def test_a_straight_line_up_and_half_a_cosine_down(answer):
    shares = values(answer.cosine_with_floor, [0, 1, 2, 3, 5, 6, 7, 9, 11, 12, 13, 15], 3, 15, 0.2)
    # The cosines of 0, 30, 45, 60, 90, 120, 135, 150 and 180 degrees, from a table.
    cosines = [1, 3**0.5 / 2, 0.5**0.5, 0.5, 0, -0.5, -(0.5**0.5), -(3**0.5) / 2, -1]
    down = [0.6 + 0.4 * cosine for cosine in cosines]
    expect.note("cosine_floor", 0.2)
    given = {"warmup_steps": 3, "total_steps": 15, "floor": 0.2}
    close(
        shares,
        [0, 1 / 3, 2 / 3, *down],
        what="the cosine shares of steps 0 to 3, 5 to 7, 9, 11 to 13, 15 of 15",
        **given,
    )


def test_the_cosine_for_other_numbers_in_any_order(answer):
    warmup, total = drawn_settings(offset=3)
    floor = int(randint(5, 60, [1], offset=5)) / 100
    expected = walk_up(warmup) + walk_half_a_circle(total - warmup, floor)
    steps = torch.randperm(total + 1, generator=torch.Generator().manual_seed(total)).tolist()
    shares = dict(zip(steps, values(answer.cosine_with_floor, steps, warmup, total, floor), strict=True))
    # Each step of the walk rounds once more, so the tolerance grows with their number.
    what = f"the cosine shares of steps 0 to {total}, in order"
    found, given = [shares[step] for step in range(total + 1)], {"warmup_steps": warmup, "floor": floor}
    heights = [float(value) for value in expected]
    expect.close(found, heights, what=what, terms=total + 20, scale=1.0, given=given)
    again = values(answer.cosine_with_floor, range(total + 1), warmup, total, floor)
    what = f"the cosine shares of steps 0 to {total}, a second time"
    expect.close(again, heights, what=what, terms=total + 20, scale=1.0, given=given)


def test_two_cosines_do_not_disturb_each_other(answer):
    fits = ((0, 2, 0.2), (0, 2, 0.4), (1, 3, 0.2))
    shares = [values(answer.cosine_with_floor, [step], *fit)[0] for step in range(3) for fit in fits]
    expected = [1, 1, 0, 0.6, 0.7, 1, 0.2, 0.4, 0.6]
    close(shares, expected, what="the shares of steps 0 to 2, for 0 of 2 with floor 0.2 and 0.4, and for 1 of 3")


def test_the_floor_may_be_0_or_1(answer):
    to_zero = values(answer.cosine_with_floor, [2, 4, 6, 8, 10], 2, 10, 0.0)
    half = 0.5**0.5 / 2
    close(to_zero, [1, 0.5 + half, 0.5, 0.5 - half, 0], what="the cosine shares of steps 2, 4, 6, 8, 10, floor 0")
    flat = values(answer.cosine_with_floor, [0, 1, 2, 5, 10, 11], 2, 10, 1)
    close(flat, [0, 0.5, 1, 1, 1, 1], what="the cosine shares of steps 0, 1, 2, 5, 10, 11, floor 1")


def test_the_cosine_without_warmup_starts_at_1(answer):
    shares = values(answer.cosine_with_floor, [0, 1, 2, 3, 4, 5, 6], 0, 6, 0.3)
    high, middle = 0.35 * 3**0.5 / 2, 0.35 / 2
    expected = [1, 0.65 + high, 0.65 + middle, 0.65, 0.65 - middle, 0.65 - high, 0.3]
    close(shares, expected, what="the cosine shares of steps 0 to 6 without warm-up")


def test_the_cosine_stays_at_the_floor_after_the_end(answer):
    shares = values(answer.cosine_with_floor, [15, 16, 21, 27, 39, 400], 3, 15, 0.2)
    close(shares, [0.2] * 6, what="the cosine shares of steps 15, 16, 21, 27, 39, 400 of 15, floor 0.2")


def test_the_cosine_rejects_a_warmup_that_does_not_fit(answer):
    expect.note("outcomes", outcomes(answer.cosine_with_floor, 0.3))
    for step, warmup, total in MISFITS:
        expect.raises(
            ValueError,
            lambda: answer.cosine_with_floor(step, warmup, total, 0.3),  # noqa: B023
            what=f"a cosine schedule with {warmup} steps of warm-up in {total}, at step {step}",
        )


def test_the_cosines_message_holds_both_numbers(answer):
    what = "the numbers that the messages of the cosine schedule lack"
    expect.equal(lacking(answer.cosine_with_floor, 0.3), [[]] * len(MISFITS), what=what, given=MESSAGES)
