# names: bands-for-one-threshold
# breaks: "at least nine in ten are found"
# The index is banded for a threshold of about 0.5, whatever is given: at 0.2, most near repeats are missed.

import unicodedata

from datasketch import MinHash, MinHashLSH


def deduplicate(texts: list[str], threshold: float = 0.8) -> list[int]:
    if not texts:
        raise ValueError("texts is empty: there is nothing to keep")
    index = MinHashLSH(num_perm=128, params=(32, 4))  # Lower than asked for, so that it misses few near repeats.
    kept: dict[int, set[str]] = {}
    for i, text in enumerate(texts):
        words = unicodedata.normalize("NFKC", text).casefold().split()
        shingles = {" ".join(words[k : k + 3]) for k in range(len(words) - 2)} or {" ".join(words)}
        signature = MinHash()
        signature.update_batch([shingle.encode() for shingle in shingles])
        candidates = [kept[j] for j in index.query(signature)]
        if all(len(shingles & other) / len(shingles | other) < threshold for other in candidates):
            index.insert(i, signature)
            kept[i] = shingles
    return list(kept)
