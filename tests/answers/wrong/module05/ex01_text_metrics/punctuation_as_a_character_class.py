# names: some-signs-kept
# breaks: "every character of `string.punctuation` deleted"
# Within [...] the pair \\] is an escaped bracket: the backslash itself stays.

import re
import string
from collections import Counter
from collections.abc import Hashable

ARTICLES = ("a", "an", "the")


def _words(text):
    kept = re.sub(f"[{string.punctuation}]", "", text.lower())
    return [word for word in kept.split() if word not in ARTICLES]


def exact_match(prediction: str, answers: list[str]) -> float:
    if not answers:
        raise ValueError("no answers")
    return float(any(_words(prediction) == _words(answer) for answer in answers))


def token_f1(prediction: str, answers: list[str]) -> float:
    if not answers:
        raise ValueError("no answers")
    best, said = 0.0, Counter(_words(prediction))
    for answer in answers:
        wanted = Counter(_words(answer))
        total = said.total() + wanted.total()
        best = max(best, 2 * (said & wanted).total() / total if total else 1.0)
    return best


def macro_f1(predictions: list[Hashable], labels: list[Hashable]) -> float:
    if len(predictions) != len(labels) or not labels:
        raise ValueError("lists of one length, with at least one item")
    said, right = Counter(predictions), Counter(labels)
    hits = Counter(p for p, y in zip(predictions, labels) if p == y)
    classes = set(said) | set(right)
    return sum(2 * hits[c] / (said[c] + right[c]) for c in classes) / len(classes)
