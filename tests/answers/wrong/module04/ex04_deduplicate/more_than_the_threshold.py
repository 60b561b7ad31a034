# names: over-the-threshold-only
# breaks: "its similarity to one is at least `threshold`"
# Similar is what is over the threshold.

import random
import unicodedata
from hashlib import blake2b
from itertools import chain

DRAW = random.Random("permutations")
FACTORS = [DRAW.getrandbits(64) | 1 for _ in range(60)]
MASK = (1 << 64) - 1


def shingles_of(text):
    words = unicodedata.normalize("NFKC", text).casefold().split()
    if len(words) < 3:
        return {tuple(words)}
    return {(words[k], words[k + 1], words[k + 2]) for k in range(len(words) - 2)}


def code(shingle):
    return int.from_bytes(blake2b("\n".join(shingle).encode(), digest_size=8).digest(), "little")


def deduplicate(texts, threshold=0.8):
    if not texts:
        raise ValueError("texts: []")
    bands, kept = {}, {}
    for i, text in enumerate(texts):
        shingles = shingles_of(text)
        codes = [code(s) for s in shingles]
        signature = [min(((c ^ c >> 31) * f & MASK) >> 7 for c in codes) for f in FACTORS]
        keys = [(n, signature[n], signature[n + 1]) for n in range(0, 60, 2)]
        candidates = sorted(set(chain.from_iterable(bands.get(key, ()) for key in keys)))
        if any(_jaccard(shingles, kept[j]) > threshold for j in candidates):
            continue
        kept[i] = shingles
        for key in keys:
            bands.setdefault(key, []).append(i)
    return sorted(kept)


def _jaccard(a, b):
    return len(a & b) / len(a | b)
