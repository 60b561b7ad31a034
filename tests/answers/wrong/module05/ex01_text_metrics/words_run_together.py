# names: words-run-together
# breaks: "the remaining words joined by single spaces"

import string
from collections import Counter
from collections.abc import Hashable

ARTICLES = ("a", "an", "the")


def _words(text):
    text = text.lower()
    text = "".join(c for c in text if c not in string.punctuation)
    return [word for word in text.split() if word not in ARTICLES]


def exact_match(prediction: str, answers: list[str]) -> float:
    if not answers:
        raise ValueError("no answers")
    form = "".join(_words(prediction))
    return 1.0 if form in ["".join(_words(answer)) for answer in answers] else 0.0


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
