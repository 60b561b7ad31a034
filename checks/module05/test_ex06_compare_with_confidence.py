"""5.06: bootstrap intervals that every generator must give, and p-values from binomial coefficients as fractions.

With few items the mean of a resample has few values. Levels are chosen so that the quantiles lie far inside
the share of one value: at least 4.9 standard errors of that share, for the number of resamples that is used.

Long: 17 checks of two functions.
"""

import contextlib
import random
from fractions import Fraction

import numpy as np
import pytest

from tunelings import expect
from tunelings.inputs import randn, seed


def shuffled(pairs, offset):
    """Two lists out of pairs, in an order that depends on the seed."""
    pairs = list(pairs)
    random.Random(seed(offset)).shuffle(pairs)
    return [a for a, _ in pairs], [b for _, b in pairs]


def call(function, a, b, *rest, **options):
    """What `function` returns, after a look at whether it has changed the lists; a failure shows what was given."""
    expect.case(a=a, b=b, **dict(zip(("n", "seed"), rest, strict=False)), **options)
    with expect.untouched("after the call", {"a": a, "b": b}, errors=ValueError):
        return function(a, b, *rest, **options)


def fields(interval):
    """mean, low and high as a list; what has no such fields comes back as it is."""
    names = ("mean", "low", "high")
    return [getattr(interval, name) for name in names] if all(hasattr(interval, name) for name in names) else interval


def close(interval, expected, what, scale=1.0):
    expect.close(fields(interval), expected, what=what, scale=scale, terms=100)


def test_each_item_is_drawn_with_both_of_its_scores(answer):
    # Of five differences one is 1. A resample holds it 0 to 5 times: binomial(5, 1/5), with P(0) = 0.328,
    # P(≤ 1) = 0.737, P(≤ 2) = 0.942. At level 0.82 the ends are 0 and 2 of 5.
    a, b = shuffled([(1, 1), (1, 1), (1, 0), (0, 0), (0, 0)], offset=1)
    interval = call(answer.paired_bootstrap, a, b, 2000, seed(2), level=0.82)
    errors = errors_to_each_side(interval, 0.16**0.5 / 5**0.5)
    expect.note("errors", errors)
    expect.note("wide", is_wide(answer.paired_bootstrap(list(a), list(b), 2000, seed(2), level=0.1)))
    expect.true(
        not errors,
        what="low and high: 5 items, 3 and 2 right, level 0.82",
        actual="the mean minus and plus a number of standard errors",
        expected="means of resamples: multiples of 0.2",
    )
    close(interval, [0.2, 0.0, 0.4], what="mean, low, high: 5 items, 3 and 2 right, level 0.82")


def is_wide(interval):
    """1 if low is below high, else 0; at level 0.1 both ends are 0.2, which 41% of the resamples give."""
    with contextlib.suppress(TypeError, ValueError, RuntimeError):
        _, low, high = fields(interval)
        return int(low < high)
    return 0


def errors_to_each_side(interval, error):
    """How many standard errors the ends are from the mean, if they were computed from it: else None."""
    with contextlib.suppress(TypeError, ValueError):
        mean, low, high = fields(interval)
        if abs(low + high - 2 * mean) < 1e-9 and abs(5 * low - round(5 * low)) > 1e-6:
            # 1 whatever the level is, 1.34 for 0.82, 1.96 for 0.95; N - 1 for N makes each 12% larger.
            found = (high - mean) / error
            return next((z for z in (1.0, 1.34, 1.96) if 0.95 * z < found < 1.2 * z), None)
    return None


def three_differences(offset):
    """Three items: scores that vary by hundreds, differences near -0.3, 0.1 and 0.7; and the sorted differences."""
    small = 0.02 * randn(3, offset=offset)
    differences = [-0.3 + float(small[0]), 0.1 + float(small[1]), 0.7 + float(small[2])]
    base = [100.0 * float(x) for x in randn(3, offset=offset + 1)]
    a, b = shuffled([(score + d, score) for score, d in zip(base, differences, strict=True)], offset + 2)
    return a, b, differences


def test_the_ends_are_quantiles_of_the_means(answer):
    # Of 27 resamples 1 is the lowest three times and 3 are the lowest twice and the middle: 0.037, then 0.148. Three
    # are the lowest and the middle twice: 0.259. From the top: the highest twice and the lowest come third.
    a, b, (low, middle, high) = three_differences(offset=3)
    mean = (low + middle + high) / 3
    for level, ends in (
        (0.8, [(2 * low + middle) / 3, (middle + 2 * high) / 3]),
        (0.6, [(low + 2 * middle) / 3, (low + 2 * high) / 3]),
    ):
        interval = call(answer.paired_bootstrap, a, b, 2000, seed(6), level=level)
        # The scores are some hundreds, and so is what their rounding errs by.
        close(interval, [mean, *ends], what=f"mean, low, high: differences of 3 items, level {level}", scale=300.0)
    # The lowest twice and the highest: 0.259 to 0.370. The middle twice and the highest: 0.630 to 0.741.
    interval = call(answer.paired_bootstrap, a, b, 6000, seed(11), level=0.34)
    expected = [mean, (2 * low + high) / 3, (2 * middle + high) / 3]
    close(interval, expected, what="mean, low, high: differences of 3 items, level 0.34", scale=300.0)


def test_the_level_is_0_95_by_default(answer):
    # The lowest of 27 equally likely resamples is reached with 0.037: more than 0.025, and less than 0.05.
    a, b, (low, middle, high) = three_differences(offset=7)
    interval = call(answer.paired_bootstrap, a, b, 6000, seed(10))
    expected = [(low + middle + high) / 3, low, high]
    close(interval, expected, what="mean, low, high: 3 items, 6000 resamples, default level", scale=300.0)


def test_with_many_items_the_interval_is_the_normal_one(answer):
    noise, luck = randn(400, offset=11), randn(400, offset=12)
    difference = 0.3 + 0.8 * noise
    b = (20 * luck).tolist()
    a = (20 * luck + difference).tolist()
    mean, half = float(difference.mean()), 1.96 * float(difference.std(unbiased=False)) / 20
    interval = call(answer.paired_bootstrap, a, b)
    found = fields(interval)
    # A quantile of 2000 resamples has a standard error of 3% of the half-width.
    near = isinstance(found, list) and all(
        isinstance(end, int | float) and abs(end - right) <= 0.15 * half
        for end, right in zip(found[1:], (mean - half, mean + half), strict=True)
    )
    expect.true(
        near,
        what="mean, low, high: 400 items, by default, within 15% of the half-width",
        actual=found,
        expected=[mean, mean - half, mean + half],
    )


def test_two_equal_systems_differ_by_nothing(answer):
    same = [float(x) for x in randn(9, offset=13)]
    close(call(answer.paired_bootstrap, same, list(same), 500, seed(14)), [0.0, 0.0, 0.0], what="a system and itself")
    tenths = [0.5 * round(score, 3) for score in same]
    shifted = [score + 0.25 for score in tenths]
    interval = call(answer.paired_bootstrap, shifted, tenths, 500, seed(15))
    close(interval, [0.25, 0.25, 0.25], what="a system that is better by 0.25 on each of 9 items")
    interval = call(answer.paired_bootstrap, [75.0, 100.0, 62.5], [35.0, 60.0, 22.5], 50, seed(15))
    close(
        interval, [40.0, 40.0, 40.0], what="a system that is better by 40 points of 100 on each of 3 items", scale=100.0
    )
    interval = call(answer.paired_bootstrap, [35.0, 60.0, 22.5], [75.0, 100.0, 62.5], 50, seed(15))
    close(interval, [-40.0, -40.0, -40.0], what="a system that is worse by 40 points of 100 on each", scale=100.0)
    close(call(answer.paired_bootstrap, [0.75], [1.0], 20, 3), [-0.25, -0.25, -0.25], what="mean, low, high: one item")
    found = fields(call(answer.paired_bootstrap, [1.0, 0.0], [1.0, 0.0], 20, 3))
    others = sorted({type(number).__name__ for number in found if not isinstance(number, float)})
    expect.equal(others, [], what="types of mean, low, high of a system and itself that aren't floats")


def test_the_seed_decides_and_nothing_else(answer):
    a, b = randn(60, offset=16).tolist(), randn(60, offset=17).tolist()
    one = seed(18)
    first = fields(call(answer.paired_bootstrap, a, b, 100, one))
    again = fields(call(answer.paired_bootstrap, a, b, 100, seed=one))
    expect.case(a=a, b=b, n=100, seed=one)
    expect.true(
        again == first,  # What a generator goes on with depends on how it is asked.
        what="mean, low, high: the second time with one seed",
        actual="other numbers",
        expected="the same numbers",
    )
    others = [fields(call(answer.paired_bootstrap, a, b, 100, one + more)) for more in (1, 10, 1000, 2**16)]
    different = sum(found != first for found in others)
    expect.case(a=a, b=b, n=100)
    what = "how many of the seeds + 1, + 10, + 1000, + 65536 give a different interval"
    expect.true(different == 4, what=what, actual=different, expected=4)
    zero = [fields(call(answer.paired_bootstrap, a, b, 100, *given)) for given in ((), (0,), (0,))]
    apart = sum(found != zero[0] for found in zero)
    expect.case(a=a, b=b, n=100)
    expect.true(apart == 0, what="how many of two calls with seed 0 differ from the default", actual=apart, expected=0)


def test_the_global_random_states_are_left_alone(answer):
    a, b = randn(7, offset=20).tolist(), randn(7, offset=21).tolist()
    numbers, numpys = random.getstate(), np.random.get_state()
    call(answer.paired_bootstrap, a, b, 50, seed(22))
    after = np.random.get_state()
    changed = [int(random.getstate() != numbers), int(after[2] != numpys[2] or (after[1] != numpys[1]).any())]
    expect.equal(changed, [0, 0], what="whether Python's and numpy's global random states changed")


def test_n_is_the_number_of_resamples(answer):
    a, b = randn(50, offset=23).tolist(), randn(50, offset=24).tolist()
    interval = call(answer.paired_bootstrap, a, b, 1, seed(25))
    found = fields(interval)
    apart = found[2] - found[1] if isinstance(found, list) else found
    expect.close(apart, 0.0, what="high - low from a single resample", scale=1.0)


def test_the_low_end_is_not_above_the_high_one(answer):
    a, b = randn(50, offset=26).tolist(), randn(50, offset=27).tolist()
    turned = []
    for n in (2, 3, 10, 30):
        found = fields(call(answer.paired_bootstrap, a, b, n, seed(28), level=0.95))
        turned += [n] if isinstance(found, list) and not found[1] <= found[2] else []
    expect.case(a=a, b=b, seed=seed(28), level=0.95)
    expect.equal(turned, [], what="the numbers of resamples of 2, 3, 10, 30 with which low is above high")


def counted(only_a, only_b, both, neither, offset):
    """Results of two systems, with so many items of each kind."""
    pairs = [(True, False)] * only_a + [(False, True)] * only_b + [(True, True)] * both + [(False, False)] * neither
    return shuffled(pairs, offset)


def exact_p(only_a, only_b):
    """The p-value as a fraction; each binomial coefficient from the one before it."""
    m = only_a + only_b
    ways = coefficient = 1
    for k in range(1, min(only_a, only_b) + 1):
        coefficient = coefficient * (m - k + 1) // k
        ways += coefficient
    return float(min(Fraction(1), Fraction(2 * ways, 2**m)))


def each_p(answer, tables, offset):
    """p for each (only a, only b, both, neither) right; all are noted, the first wrong one is shown with its case."""
    found = []
    for number, table in enumerate(tables):
        a, b = counted(*table, offset + number)
        found.append(call(answer.mcnemar, a, b))
    expect.note("p", [p if isinstance(p, int | float) else type(p).__name__ for p in found])
    for p, table in zip(found, tables, strict=True):
        expect.case(items_that_are_right=items_of(table))
        expect.kind(p, float, what="p")
        expect.close(p, exact_p(*table[:2]), what="p", terms=1000)


def items_of(table):
    return dict(zip(("only a", "only b", "both", "neither"), table, strict=True))


def test_mcnemar_doubles_the_smaller_tail_of_the_binomial(answer):
    each_p(answer, [(1, 8, 7, 4), (9, 3, 7, 4), (2, 12, 7, 4), (0, 4, 7, 4), (6, 5, 7, 4)], offset=30)


def test_mcnemar_is_at_most_one(answer):
    each_p(answer, [(3, 3, 2, 3), (1, 1, 2, 3), (1, 0, 2, 3), (0, 1, 0, 0)], offset=40)


def test_mcnemar_is_one_if_the_systems_agree_on_every_item(answer):
    each_p(answer, [(0, 0, 2, 3), (0, 0, 5, 0), (0, 0, 0, 5), (0, 0, 1, 0)], offset=80)


def test_mcnemar_does_not_look_at_items_on_which_both_agree(answer):
    each_p(answer, [(2, 9, 0, 0), (2, 9, 50, 0), (2, 9, 0, 50), (2, 9, 31, 400)], offset=50)


def test_mcnemar_is_exact_for_many_items(answer):
    # 0.5 ** 1220 is 0 in floats, and the coefficients are beyond their largest number.
    found = call(answer.mcnemar, *counted(520, 700, 30, 10, offset=60))
    expected = exact_p(520, 700)
    expect.true(type(found) is float, what="the type of p", actual=type(found).__name__, expected="float")
    expect.close(found, expected, what="p with only a/only b right on 520/700 items", terms=10**5)
    small = [(0, 100), (3, 200), (900, 0)]  # From 1.6e-30 down to 2.4e-271.
    shares = [
        call(answer.mcnemar, *counted(*pair, 2, 1, offset=70 + i)) / exact_p(*pair) for i, pair in enumerate(small)
    ]
    expect.case()  # Three calls, which `what` says.
    what = "p divided by its exact value, on 0/100, 3/200, 900/0 items"
    expect.close(shares, [1.0, 1.0, 1.0], what=what, terms=10**5)


def test_lists_that_do_not_fit_are_an_error(answer):
    for function, one in ((answer.paired_bootstrap, 1.0), (answer.mcnemar, True)):
        name = "paired_bootstrap" if one is not True else "mcnemar"
        for first, second in (([one] * 4, [one] * 3), ([one] * 3, [one]), ([one], [one] * 3), ([], [])):
            expect.raises(
                ValueError,
                lambda function=function, first=first, second=second: call(function, first, second),
                what=f"{name} of {len(first)} and {len(second)} items",
            )


def test_the_lists_stay_as_they_are(answer):
    scores = {"a": [3.0, 1.0, 2.0], "b": [0.5, 2.5, 1.5]}
    with expect.untouched("the scores after the call", scores):
        answer.paired_bootstrap(**scores, n=20, seed=seed(61))
    results = {"a": [True, False, False], "b": [False, True, True]}
    with expect.untouched("the results after the call", results):
        answer.mcnemar(**results)


@pytest.mark.trains
@pytest.mark.timeout(60)
def test_the_interval_covers_the_truth_about_as_often_as_it_says(answer):
    # 200 test sets of 40 items each, the true difference is 0.2. Of 20,000 such intervals at level 0.9, 88% held
    # it. That is 176 of 200 with a standard deviation of 4.6; the lower bound is five of them away.
    generator = np.random.default_rng(seed(62))
    covered = 0
    for number in range(200):
        luck = generator.normal(0, 3, 40)
        difference = generator.normal(0.2, 1, 40)
        interval = call(answer.paired_bootstrap, (luck + difference).tolist(), luck.tolist(), 200, number, level=0.9)
        covered += interval.low <= 0.2 <= interval.high
    expect.case()  # Two hundred calls.
    expect.true(
        154 <= covered <= 200, what="how many of 200 intervals hold the truth", actual=covered, expected="about 176"
    )
