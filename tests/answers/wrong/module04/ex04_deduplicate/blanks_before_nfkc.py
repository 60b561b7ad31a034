# names: white-space-before-nfkc
# breaks: "with every run of white space replaced by one space and none at the ends."
# White space is collapsed first, and NFKC writes a blank of its own before an accent that stands alone.

import unicodedata

from datasketch import MinHash, MinHashLSH


def _normal(text):
    return unicodedata.normalize("NFKC", " ".join(text.split())).casefold()


def _shingles(form):
    words = form.split(" ")
    if len(words) < 3:
        return {form}
    return {" ".join(words[i : i + 3]) for i in range(len(words) - 2)}


def _signature(shingles):
    signature = MinHash(num_perm=128, seed=1)
    for shingle in shingles:
        signature.update(shingle.encode())
    return signature


def _jaccard(a, b):
    return len(a & b) / len(a | b)


def deduplicate(texts: list[str], threshold: float = 0.8) -> list[int]:
    if not texts:
        raise ValueError("no texts")
    index = MinHashLSH(threshold=max(0.05, 0.8 * threshold), num_perm=128)
    forms, sets, kept = set(), {}, []
    for place, text in enumerate(texts):
        form = _normal(text)
        if form in forms:
            continue
        shingles = _shingles(form)
        signature = _signature(shingles)
        if any(_jaccard(shingles, sets[other]) >= threshold for other in index.query(signature)):
            continue
        forms.add(form)
        sets[place] = shingles
        index.insert(place, signature)
        kept.append(place)
    return kept
