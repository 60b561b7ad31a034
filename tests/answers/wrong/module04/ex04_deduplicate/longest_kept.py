# names: longest-kept
# breaks: "all texts except those that repeat an earlier kept one."
# Keeps the longest of each group of repeats: sorts by length first.
import unicodedata
from collections import Counter, defaultdict


def deduplicate(texts, threshold=0.8):
    if not texts:
        raise ValueError("no texts")
    postings, sizes = defaultdict(list), {}
    for i in sorted(range(len(texts)), key=lambda i: (-len(texts[i]), i)):
        words = unicodedata.normalize("NFKC", texts[i]).casefold().split()
        grams = {tuple(words[k : k + 3]) for k in range(max(1, len(words) - 2))}
        overlap = Counter(j for g in grams for j in postings[g])
        if all(n / (len(grams) + sizes[j] - n) < threshold for j, n in overlap.items()):
            sizes[i] = len(grams)
            for g in grams:
                postings[g].append(i)
    return sorted(sizes)
