# names: threshold-rounded
# breaks: "Nothing is dropped for a similarity below `threshold`: the index's candidates are compared exactly."
# The threshold is rounded to tenths.

import unicodedata
from collections import defaultdict


def deduplicate(texts, threshold=0.8):
    if not len(texts):
        raise ValueError("no texts")
    threshold = round(threshold, 1)
    index = defaultdict(list)
    sizes = {}
    forms = set()
    for i, text in enumerate(texts):
        form = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
        if form in forms:
            continue
        words = form.split(" ")
        grams = set(zip(words, words[1:], words[2:])) if len(words) >= 3 else {form}
        common = defaultdict(int)
        for gram in grams:
            for j in index[gram]:
                common[j] += 1
        if any(c / (len(grams) + sizes[j] - c) >= threshold for j, c in common.items()):
            continue
        for gram in grams:
            index[gram].append(i)
        sizes[i] = len(grams)
        forms.add(form)
    return sorted(sizes)
