# names: unlisted
# breaks: "punctuation belongs to its word"
# A text without letters and digits counts as empty: '!' and '?' become one.

import unicodedata

from datasketch import MinHash, MinHashLSH


def deduplicate(texts: list[str], threshold: float = 0.8) -> list[int]:
    if not texts:
        raise ValueError("texts is empty: there is nothing to keep")
    index = MinHashLSH(threshold=0.8 * threshold)  # Lower than asked for, so that it misses few near repeats.
    kept: dict[int, set[str]] = {}
    for i, text in enumerate(texts):
        words = unicodedata.normalize("NFKC", text).casefold().split() if any(char.isalnum() for char in text) else []
        shingles = {" ".join(words[k : k + 3]) for k in range(len(words) - 2)} or {" ".join(words)}
        signature = MinHash()
        signature.update_batch([shingle.encode() for shingle in shingles])
        candidates = [kept[j] for j in index.query(signature)]
        if all(len(shingles & other) / len(shingles | other) < threshold for other in candidates):
            index.insert(i, signature)
            kept[i] = shingles
    return list(kept)
