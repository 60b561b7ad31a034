# names: indices-of-numpy
# breaks: "Return the indices of the texts to keep, ascending"
# The places of a mask of NumPy, which are no ints.

import re
import unicodedata
import zlib
from collections import defaultdict

import numpy as np

PRIME = (1 << 31) - 1
ROWS = 3


def normal_form(text):
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


def shingle_set(form):
    words = form.split(" ")
    return frozenset(map(tuple, (words[k : k + 3] for k in range(max(1, len(words) - 2)))))


def deduplicate(texts, threshold=0.8):
    if len(texts) == 0:
        raise ValueError("no texts")
    rng = np.random.default_rng(7)
    a = rng.integers(1, PRIME, size=120)[:, None]
    b = rng.integers(0, PRIME, size=120)[:, None]
    forms, buckets, kept, sets = set(), defaultdict(list), [], {}
    for i, text in enumerate(texts):
        form = normal_form(text)
        if form in forms:
            continue
        own = shingle_set(form)
        codes = np.array([zlib.crc32(repr(run).encode()) % PRIME for run in own], dtype=np.int64)
        signature = ((a * codes + b) % PRIME).min(axis=1)
        keys = [(band, signature[band : band + ROWS].tobytes()) for band in range(0, 120, ROWS)]
        near = {j for key in keys for j in buckets[key]}
        if any(len(own & sets[j]) >= threshold * len(own | sets[j]) for j in near):
            continue
        for key in keys:
            buckets[key].append(i)
        forms.add(form)
        sets[i] = own
        kept.append(i)
    mask = np.zeros(len(texts), dtype=bool)
    mask[kept] = True
    return list(np.flatnonzero(mask))
