# names: hash-salted-by-process
# breaks: "in every call and every process"
import random
import unicodedata
from collections import defaultdict


def deduplicate(texts, threshold=0.8):
    if not texts:
        raise ValueError("no texts")
    rng = random.Random(1)
    masks = [rng.getrandbits(61) for _ in range(99)]
    buckets, kept = defaultdict(set), {}
    for i, text in enumerate(texts):
        words = unicodedata.normalize("NFKC", text).casefold().split()
        s = {" ".join(words[k : k + 3]) for k in range(max(1, len(words) - 2))}
        codes = [hash(x) & ((1 << 61) - 1) for x in s]
        signature = [min(c ^ mask for c in codes) for mask in masks]
        keys = [(b, *signature[b : b + 3]) for b in range(0, 99, 3)]
        candidates = sorted(set().union(*(buckets[key] for key in keys)))
        if all(len(s & kept[j]) / len(s | kept[j]) < threshold for j in candidates):
            kept[i] = s
            for key in keys:
                buckets[key].add(i)
    return list(kept)
