# names: one-candidate-compared
# breaks: "if its similarity to one is at least `threshold`"
# compares only with the latest candidate: a repeat of an older text is kept where a later one is a weaker candidate

import unicodedata

from datasketch import MinHash, MinHashLSH


def deduplicate(texts: list[str], threshold: float = 0.8) -> list[int]:
    if not texts:
        raise ValueError("no texts")
    forms = [" ".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in texts]

    def shingled(form: str) -> frozenset[str]:
        words = form.split(" ")
        return frozenset(" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2)))

    index = MinHashLSH(threshold=max(threshold - 0.2, 0.05), num_perm=128)
    seen: set[str] = set()
    kept: dict[int, frozenset[str]] = {}
    for i, form in enumerate(forms):
        shingles = shingled(form)
        signature = MinHash(num_perm=128)
        signature.update_batch([shingle.encode() for shingle in sorted(shingles)])
        latest = sorted(index.query(signature))[-1:]
        if form in seen or any(len(shingles & kept[j]) / len(shingles | kept[j]) >= threshold for j in latest):
            continue
        seen.add(form)
        kept[i] = shingles
        index.insert(i, signature)
    return list(kept)
