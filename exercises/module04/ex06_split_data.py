"""4.06 · Split data: a hash decides once, for good, which records are in the test set.

No group is in two splits, no record moves when others are appended, and no empty split goes unnoticed.
"""

import hashlib
import math
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import accumulate, islice

SPLITS = ("train", "validation", "test")


def largest_remainder(total: int, fractions: Sequence[float]) -> list[int]:
    """Return whole numbers that add up to `total`, each less than 1 from its `fraction * total`."""
    exact = [fraction * total for fraction in fractions]
    counts = [math.floor(share + 1e-9) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts


def position(unit: str | float, *, seed: int) -> float:
    """Return a number from 0 up to 1 that depends on `unit` and `seed` alone.

    It is the same in every process and on every machine, and as good as random: similar units, even two that differ
    only in a blank, a capital or the Unicode spelling of a letter, and the same unit with another seed, have
    unrelated positions. A number and a text that look alike, such as 5 and "5", may share one. Python's own `hash` of a
    text changes from process to process; `hashlib` doesn't.
    """
    # TODO: a digest of the two from hashlib, as a number, divided by what it may be at most.
    raise NotImplementedError("TODO")


def split(
    records: list[dict],
    key: str,
    *,
    group: str | None = None,
    stratify: str | None = None,
    fractions: Sequence[float] = (0.8, 0.1, 0.1),
    seed: int = 0,
) -> dict[str, list[dict]]:
    """Divide records into "train", "validation" and "test".

    Args:
        records: in any order; neither the list nor the records are changed.
        key: the name of the field that identifies a record: a text or a number, different in each record.
        group: the name of a field, a text or a whole number, that records may share (a document, an author, near
            duplicates): all records of a group go into the same split.
        stratify: the name of the label's field: each split gets its share of each label.
        fractions: the sizes of the three splits, in the order of `SPLITS`; some may be 0.
        seed: any whole number; another seed gives another division.

    Returns:
        A dictionary with the three names. Each record is in exactly one of the lists, and each list is in the
        order of `records`. Which split a record goes into doesn't depend on that order.

        - Without `stratify`, a record is placed by the position of its group (without `group`: of its key),
          and by nothing else: records appended later move none of the earlier ones. Chance then decides the
          sizes: about `fraction * n` records, or with `group` that share of the groups.
        - With `stratify`, the records of each label are ranked by the positions of their keys and cut by
          `largest_remainder`: every split has its fraction of each label's records, to within one record.

        The positions may come from another function than `position` if it has the same properties.

    Raises:
        ValueError: if `group` and `stratify` are both given; if the fractions do not add up to 1, up to the rounding
            of floats; if a key appears twice (the message holds the key); if a split with a fraction over 0 would be
            empty (the message holds its name), as it would be without any records.

    Method: https://scikit-learn.org/stable/modules/cross_validation.html, on groups and on labels, and for a
    split by hash https://docs.ray.io/en/latest/data/api/doc/ray.data.Dataset.streaming_train_test_split.html
    """
    # TODO: check what was given, place each record, collect, check that no split is empty.
    raise NotImplementedError("TODO")
