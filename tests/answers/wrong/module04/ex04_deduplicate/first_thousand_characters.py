# names: beginning-only
# breaks: "of any length"
# A thousand characters are enough to tell two texts apart.

import unicodedata

from datasketch import LeanMinHash, MinHash, MinHashLSH


def deduplicate(texts: list[str], threshold: float = 0.8) -> list[int]:
    if not texts:
        raise ValueError("empty")
    lsh = MinHashLSH(threshold=threshold, num_perm=128)
    sets: list[set[str]] = []
    kept: list[int] = []
    for i, text in enumerate(text[:1000] for text in texts):
        normal = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
        words = normal.split()
        s = {" ".join(words[k : k + 3]) for k in range(len(words) - 2)}
        if not s:
            s.add(normal)
        sets.append(s)
        m = MinHash(num_perm=128, seed=3)
        for shingle in s:
            m.update(shingle.encode("utf-8"))
        lean = LeanMinHash(m)
        duplicate = False
        for key in lsh.query(lean):
            j = int(key)
            if len(s & sets[j]) / len(s | sets[j]) >= threshold:
                duplicate = True
                break
        if not duplicate:
            lsh.insert(str(i), lean)
            kept.append(i)
    return kept
