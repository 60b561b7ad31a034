# names: punctuation-removed
# breaks: "punctuation belongs to its word"
# Words by \w+, so that punctuation is thrown away, and with it "x = 1" and "x == 1" become the same.
import re
import unicodedata
from collections import Counter, defaultdict


def deduplicate(texts, threshold=0.8):
    if not texts:
        raise ValueError("no texts")
    postings, sizes = defaultdict(list), {}
    for i, text in enumerate(texts):
        words = re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())
        grams = {tuple(words[k : k + 3]) for k in range(max(1, len(words) - 2))}
        overlap = Counter(j for g in grams for j in postings[g])
        if all(n / (len(grams) + sizes[j] - n) < threshold for j, n in overlap.items()):
            sizes[i] = len(grams)
            for g in grams:
                postings[g].append(i)
    return list(sizes)
