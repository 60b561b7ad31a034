# names: shingles-of-another-length
# breaks: "the set of its runs of 3 consecutive words"
# Runs of two words, where the contract has three.
import unicodedata
from collections import Counter, defaultdict


def deduplicate(texts, threshold=0.8):
    if not texts:
        raise ValueError("no texts")
    postings, sizes = defaultdict(list), {}
    for i, text in enumerate(texts):
        words = unicodedata.normalize("NFKC", text).casefold().split()
        grams = {tuple(words[k : k + 2]) for k in range(len(words) - 1)} if len(words) > 2 else {tuple(words)}
        overlap = Counter(j for g in grams for j in postings[g])
        if all(n / (len(grams) + sizes[j] - n) < threshold for j, n in overlap.items()):
            sizes[i] = len(grams)
            for g in grams:
                postings[g].append(i)
    return list(sizes)
