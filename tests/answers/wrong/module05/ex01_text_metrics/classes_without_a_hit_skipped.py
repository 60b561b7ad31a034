# names: classes-of-both-sides-only
# breaks: "0 if there is no hit"

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
    if len(predictions) != len(labels) or len(labels) == 0:
        raise ValueError("unequal or empty")
    scores = []
    for c in set(predictions) | set(labels):
        tp = sum(p == c and r == c for p, r in zip(predictions, labels))
        if tp == 0:
            continue
        precision = tp / predictions.count(c)
        recall = tp / labels.count(c)
        scores.append(2 * precision * recall / (precision + recall))
    return sum(scores) / len(scores) if scores else 0.0
