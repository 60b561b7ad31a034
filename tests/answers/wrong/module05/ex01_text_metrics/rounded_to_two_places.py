# names: rounded
# breaks: "The largest F1 over the answers, as a float."

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
    return float(any(_words(prediction) == _words(answer) for answer in answers))


def token_f1(prediction: str, answers: list[str]) -> float:
    if not answers:
        raise ValueError("no answers")
    best = 0.0
    p = Counter(_words(prediction))
    for answer in answers:
        a = Counter(_words(answer))
        if not p and not a:
            return 1.0
        best = max(best, 2 * (p & a).total() / (p.total() + a.total()))
    return round(best, 2)


def macro_f1(predictions: list[Hashable], labels: list[Hashable]) -> float:
    if not labels or len(predictions) != len(labels):
        raise ValueError("lists of equal length, not empty")
    said, right = Counter(predictions), Counter(labels)
    hits = Counter(p for p, r in zip(predictions, labels) if p == r)
    classes = said.keys() | right.keys()
    return sum(2 * hits[c] / (said[c] + right[c]) for c in classes) / len(classes)
