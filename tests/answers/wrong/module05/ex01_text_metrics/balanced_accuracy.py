# names: recall-of-each-class
# breaks: "The F1 of a class is 2 · hits"

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
    said = Counter(_words(prediction))
    best = 0.0
    for answer in answers:
        wanted = Counter(_words(answer))
        total = said.total() + wanted.total()
        best = max(best, 2 * (said & wanted).total() / total if total else 1.0)
    return best


def macro_f1(predictions: list[Hashable], labels: list[Hashable]) -> float:
    if len(predictions) != len(labels) or not labels:
        raise ValueError("bad lists")
    classes = set(predictions) | set(labels)
    total = 0.0
    for c in classes:
        tp = sum(p == c and right == c for p, right in zip(predictions, labels))
        support = labels.count(c)
        total += tp / support if support else 0.0
    return total / len(classes)
