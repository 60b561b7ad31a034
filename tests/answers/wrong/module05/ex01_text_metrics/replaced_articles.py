# names: articles-inside-words
# breaks: "The normal form of a text, in this order"
import string
from collections import Counter


def clean(text):
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    for word in ["the", "an", "a"]:
        text = text.replace(word, "")
    return " ".join(text.split())


def exact_match(prediction, answers):
    if not answers:
        raise ValueError("no answers")
    return 1.0 if any(clean(prediction) == clean(a) for a in answers) else 0.0


def token_f1(prediction, answers):
    if not answers:
        raise ValueError("no answers")

    def f1(p, a):
        if not p or not a:
            return float(p == a)
        same = sum((Counter(p) & Counter(a)).values())
        return 2 * same / (len(p) + len(a))

    return max(f1(clean(prediction).split(), clean(a).split()) for a in answers)


def macro_f1(predictions, labels):
    if len(predictions) != len(labels) or len(labels) == 0:
        raise ValueError("lengths")
    classes = set(predictions) | set(labels)
    total = 0
    for c in classes:
        tp = sum(p == y == c for p, y in zip(predictions, labels, strict=False))
        total += 2 * tp / (predictions.count(c) + labels.count(c))
    return total / len(classes)
