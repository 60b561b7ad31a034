"""Texts that are equal or nearly so: which belong together, in a time that grows with their number, not its square.

Candidates come from MinHash (Broder, 1997), cut into bands as in Leskovec, Rajaraman and Ullman, "Mining of Massive
Datasets", chapter 3; the index of datasketch would keep all bands in memory at once, some kilobytes a text.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence

import numpy as np

from tunelings import live

PERMUTATIONS = 128


def normal_form(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def jaccard(a: str, b: str) -> float:
    """How much two texts share: runs of three words that both have, out of those that one of them has."""
    first, second = _shingles(a), _shingles(b)
    return len(first & second) / len(first | second)


def _shingles(text: str) -> set[str]:
    words = normal_form(text).split(" ")
    return {" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))}


def near_groups(texts: Sequence[str], threshold: float) -> list[int]:
    """For each text the index of the first one of its group: its own, if it is the first.

    Texts with a Jaccard of `threshold` or more are of one group, and so are those that others connect. Pairs are found
    by MinHash, one band at a time, which misses few (at the threshold 1 in 20, soon above it none), and every pair is
    confirmed exactly: nothing below the threshold is joined. Equal normal forms are always found.
    """
    forms = [hashlib.sha256(normal_form(text).encode()).digest() for text in texts]
    first_with: dict[bytes, int] = {}
    root = [first_with.setdefault(form, index) for index, form in enumerate(forms)]
    distinct = np.array(sorted(first_with.values()), dtype=np.int64)
    signatures = _signatures([texts[i] for i in distinct])
    bands, rows = _bands(threshold)

    def find(index: int) -> int:
        while root[index] != index:
            root[index] = index = root[root[index]]
        return index

    for band in range(bands):
        live.progress((band + 1) / bands, "comparing")
        part = signatures[:, band * rows : (band + 1) * rows].astype(np.uint64)
        keys = (part * _ODD[:rows]).sum(axis=1)
        order = np.argsort(keys, kind="stable")
        for bucket in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
            for place, j in enumerate(bucket):
                for i in bucket[:place]:
                    a, b = find(distinct[i]), find(distinct[j])
                    # The estimate errs by 0.04 (one standard deviation): what is 0.15 below need not be looked at.
                    alike = a != b and np.mean(signatures[i] == signatures[j]) >= threshold - 0.15
                    if alike and jaccard(texts[distinct[i]], texts[distinct[j]]) >= threshold:
                        root[max(a, b)] = min(a, b)
    return [int(find(index)) for index in range(len(texts))]


_ODD = np.random.RandomState(0).randint(0, 2**62, PERMUTATIONS, dtype=np.uint64) * 2 + 1


def _signatures(texts: Sequence[str]) -> np.ndarray:
    from datasketch import MinHash  # Imports scipy, which takes a while.

    sets = ([shingle.encode() for shingle in _shingles(text)] for text in texts)
    signatures = np.empty((len(texts), PERMUTATIONS), dtype=np.uint32)
    for index, minhash in enumerate(MinHash.generator(sets, num_perm=PERMUTATIONS)):
        signatures[index] = minhash.hashvalues
        live.progress((index + 1) / len(texts), "fingerprints")
    return signatures


def _bands(threshold: float) -> tuple[int, int]:
    """The longest bands that still find 19 of 20 pairs at the threshold: a pair is found if one band is equal."""
    for rows in range(16, 1, -1):
        bands = PERMUTATIONS // rows
        if 1 - (1 - threshold**rows) ** bands >= 0.95:
            return bands, rows
    return PERMUTATIONS, 1


def parted(texts: Sequence[str], parts: Sequence[str], threshold: float) -> dict[str, int]:
    """How many times a group of equal or of near texts goes over from one part to another."""

    def count(groups: Sequence) -> int:
        return len(set(zip(groups, parts, strict=True))) - len(set(groups))

    return {"exact": count([normal_form(text) for text in texts]), "near": count(near_groups(texts, threshold))}
