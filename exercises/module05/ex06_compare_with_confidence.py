"""5.06 · Compare with confidence: find out if the difference between two systems is more than luck.

Both answered the same items. What counts is the difference on each item, and how it would vary with other items.
"""

import math
from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    """A mean, and the two ends of its interval."""

    mean: float
    low: float
    high: float


def paired_bootstrap(
    a: list[float],
    b: list[float],
    n: int = 2000,
    seed: int = 0,
    *,
    level: float = 0.95,
) -> Interval:
    """Return how much better system a is than system b, with a percentile bootstrap interval.

    Of N items, the i-th has the scores `a[i]` and `b[i]`. A resample is N items drawn with replacement from
    these N; each item keeps both of its scores. A resample gives one number: its mean of a - b. The interval
    lies between the quantiles (1 - level) / 2 and 1 - (1 - level) / 2 of `n` such numbers; between two of
    them, any usual interpolation will do.

    Args:
        a: one number for each item, such as 1 for right and 0 for wrong; not changed.
        b: the other system's numbers for the same items in the same order; not changed.
        n: how many resamples, at least 1.
        seed: 0 or more; alone decides which items are drawn: the same seed gives the same interval, another seed
            gives another. The global random states, numpy's and Python's, are not changed.
        level: the share of resamples between the two ends, more than 0 and less than 1.

    Returns:
        Anything with the fields `mean` (of a - b over the items themselves), `low` and `high`, floats.

    Lists of unequal length, and empty lists, are a ValueError.

    Method: Koehn, Statistical Significance Tests for Machine Translation Evaluation (2004),
    https://aclanthology.org/W04-3250
    """
    # TODO: the differences; n means of N of them drawn with replacement; the two quantiles.
    raise NotImplementedError("TODO")


def mcnemar(a: list[bool], b: list[bool]) -> float:
    """Return the exact two-sided p-value of McNemar's test: could two equal systems differ this much by luck?

    The only items that count are those that exactly one of the systems gets right. If both were equally good,
    each of these m items would be a's or b's with probability 1/2. With k the smaller of the two counts, and X
    binomial (m trials, probability 1/2):

        p = min(1, 2 · P(X ≤ k))

    and 1 if there is no such item. It is exact, even for a thousand such items and more.

    Args:
        a: for each item, whether system a is right; not changed.
        b: the same for system b, for the same items in the same order; not changed.

    Returns:
        A Python float. Lists of unequal length, and empty lists, are a ValueError.

    Method: McNemar, Note on the sampling error of the difference between correlated proportions or
    percentages, Psychometrika 12 (1947), https://doi.org/10.1007/BF02295996; the exact form is
    https://www.statsmodels.org/stable/generated/statsmodels.stats.contingency_tables.mcnemar.html
    """
    # TODO: count the items that only one has right; sum binomial coefficients up to the smaller.
    raise NotImplementedError("TODO")
