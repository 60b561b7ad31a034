# names: more-words-deleted
# breaks: "Nothing else is changed"
# A longer list of stop words is deleted.
import string
from collections import Counter

STOP = {"a", "an", "the", "and", "of", "or", "in", "on", "this", "that"}


def norm(text):
    text = text.lower().translate(str.maketrans("", "", string.punctuation))
    return [w for w in text.split() if w not in STOP]


def exact_match(prediction, answers):
    return max(float(norm(prediction) == norm(a)) for a in answers)


def token_f1(prediction, answers):
    def f1(p, a):
        if not p or not a:
            return float(p == a)
        return 2 * (Counter(p) & Counter(a)).total() / (len(p) + len(a))

    return max(f1(norm(prediction), norm(a)) for a in answers)


def macro_f1(predictions, labels):
    if len(predictions) != len(labels) or not labels:
        raise ValueError("lengths")
    hits = Counter(p for p, y in zip(predictions, labels, strict=False) if p == y)
    seen = Counter(predictions) + Counter(labels)
    return sum(2 * hits[c] / seen[c] for c in seen) / len(seen)
