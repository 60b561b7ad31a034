# names: compared-with-dropped
# breaks: ""Kept" matters: a text that resembles only a dropped text is kept."
# Connected components by union-find; the first of each stays.
import unicodedata

from datasketch import MinHash, MinHashLSH


def deduplicate(texts, threshold=0.8):
    if not texts:
        raise ValueError("no texts")
    lsh = MinHashLSH(threshold=0.75 * threshold)
    parent, sets = list(range(len(texts))), []

    def root(i):
        while parent[i] != i:
            i = parent[i]
        return i

    for i, text in enumerate(texts):
        words = unicodedata.normalize("NFKC", text).casefold().split()
        s = {" ".join(words[k : k + 3]) for k in range(max(1, len(words) - 2))}
        sets.append(s)
        m = MinHash()
        m.update_batch([x.encode() for x in s])
        for j in lsh.query(m):
            if len(s & sets[j]) / len(s | sets[j]) >= threshold:
                a, b = root(i), root(j)
                parent[max(a, b)] = min(a, b)
        lsh.insert(i, m)
    return [i for i in range(len(texts)) if root(i) == i]
