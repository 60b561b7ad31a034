# names: more-signs-deleted
# breaks: "Nothing else is changed: accents, other scripts and signs outside `string.punctuation` stay."
# Everything that Unicode calls punctuation is deleted as well.

import string
import unicodedata
from collections import Counter
from collections.abc import Hashable

ARTICLES = ("a", "an", "the")


def _words(text):
    kept = (c for c in text.lower() if c not in string.punctuation and not unicodedata.category(c).startswith("P"))
    return [word for word in "".join(kept).split() if word not in ARTICLES]


def exact_match(prediction: str, answers: list[str]) -> float:
    if not answers:
        raise ValueError("no answers")
    return float(any(_words(prediction) == _words(answer) for answer in answers))


def token_f1(prediction: str, answers: list[str]) -> float:
    if not answers:
        raise ValueError("no answers")
    said = Counter(_words(prediction))
    best = 0.0
    for answer in answers:
        wanted = Counter(_words(answer))
        total = said.total() + wanted.total()
        best = max(best, 2 * (said & wanted).total() / total if total else 1.0)
    return best


def macro_f1(predictions: list[Hashable], labels: list[Hashable]) -> float:
    if not labels or len(predictions) != len(labels):
        raise ValueError("lists of equal length, not empty")
    said, right = Counter(predictions), Counter(labels)
    hits = Counter(p for p, r in zip(predictions, labels) if p == r)
    classes = said.keys() | right.keys()
    return sum(2 * hits[c] / (said[c] + right[c]) for c in classes) / len(classes)
