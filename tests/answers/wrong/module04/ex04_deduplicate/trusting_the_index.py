# names: candidates-not-verified
# breaks: "Nothing is dropped for a similarity below `threshold`: the index's candidates are compared exactly."
import unicodedata

from datasketch import MinHash, MinHashLSH


def deduplicate(texts, threshold=0.8):
    if not texts:
        raise ValueError("no texts")
    lsh = MinHashLSH(threshold=threshold, num_perm=128)
    kept = []
    for i, text in enumerate(texts):
        words = unicodedata.normalize("NFKC", text).casefold().split()
        m = MinHash(num_perm=128)
        for k in range(max(1, len(words) - 2)):
            m.update(" ".join(words[k : k + 3]).encode("utf8"))
        if not lsh.query(m):
            lsh.insert(f"t{i}", m)
            kept.append(i)
    return kept
