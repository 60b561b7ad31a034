# names: index-threshold-below-0
# breaks: "All texts with an equal normal form are found"
# the index is made for threshold - 0.2: for 0.1 that is below 0, and datasketch raises

import unicodedata

from datasketch import MinHash, MinHashLSH


def deduplicate(texts: list[str], threshold: float = 0.8) -> list[int]:
    if not texts:
        raise ValueError("no texts")
    forms = [" ".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in texts]

    def shingled(form: str) -> frozenset[str]:
        words = form.split(" ")
        return frozenset(" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2)))

    index = MinHashLSH(threshold=threshold - 0.2, num_perm=128)
    seen: set[str] = set()
    kept: dict[int, frozenset[str]] = {}
    for i, form in enumerate(forms):
        shingles = shingled(form)
        signature = MinHash(num_perm=128)
        signature.update_batch([shingle.encode() for shingle in sorted(shingles)])
        candidates = index.query(signature)
        if form in seen or any(len(shingles & kept[j]) / len(shingles | kept[j]) >= threshold for j in candidates):
            continue
        seen.add(form)
        kept[i] = shingles
        index.insert(i, signature)
    return list(kept)
