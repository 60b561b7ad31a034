# names: micro-for-macro
# breaks: "Return the mean of the classes' F1; every class has the same weight, however rare it is."
import string
from collections import Counter


def clean(text):
    text = text.lower()
    for sign in string.punctuation:
        text = text.replace(sign, "")
    return [w for w in text.split() if w not in ["a", "an", "the"]]


def exact_match(prediction, answers):
    if not answers:
        raise ValueError("no answers")
    return float(any(clean(prediction) == clean(a) for a in answers))


def token_f1(prediction, answers):
    if not answers:
        raise ValueError("no answers")
    best = 0.0
    for a in answers:
        x, y = Counter(clean(prediction)), Counter(clean(a))
        total = sum(x.values()) + sum(y.values())
        best = max(best, 2 * sum((x & y).values()) / total if total else 1.0)
    return best


def macro_f1(predictions, labels):
    if len(predictions) != len(labels):
        raise ValueError("unequal lengths")
    if not predictions:
        raise ValueError("empty")
    tp = fp = fn = 0
    for c in sorted(set(labels) | set(predictions), key=repr):
        for p, y in zip(predictions, labels, strict=False):
            tp += p == c and y == c
            fp += p == c and y != c
            fn += p != c and y == c
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    return 2 * precision * recall / (precision + recall) if tp else 0.0
