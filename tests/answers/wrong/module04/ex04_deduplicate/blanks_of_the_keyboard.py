# names: some-white-space-only
# breaks: "with every run of white space replaced by one space and none at the ends."
# White space is blank, tab and line end.

import re
import unicodedata
from collections import defaultdict


def deduplicate(texts, threshold=0.8):
    if not len(texts):
        raise ValueError("no texts")
    index = defaultdict(list)
    sizes = {}
    forms = set()
    for i, text in enumerate(texts):
        folded = unicodedata.normalize("NFKC", text).casefold()
        form = " ".join(re.split(r"[ \t\r\n]+", folded.strip(" \t\r\n")))
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
