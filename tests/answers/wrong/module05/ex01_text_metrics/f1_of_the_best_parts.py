# names: unlisted
# breaks: "The largest F1 over the answers, as a float."
# The best precision and the best recall over the answers are put together, from different answers.
import string
from collections import Counter


def norm(text):
    text = text.lower().translate(str.maketrans("", "", string.punctuation))
    return [w for w in text.split() if w not in ("a", "an", "the")]


def exact_match(prediction, answers):
    return max(float(norm(prediction) == norm(a)) for a in answers)


def token_f1(prediction, answers):
    if not answers:
        raise ValueError("no answers")
    p = norm(prediction)
    if not p or [] in map(norm, answers):
        return float(p in map(norm, answers))
    common = [(Counter(p) & Counter(norm(a))).total() for a in answers]
    precision = max(c / len(p) for c in common)
    recall = max(c / len(norm(a)) for c, a in zip(common, answers, strict=False))
    return 2 * precision * recall / (precision + recall) if precision else 0.0


def macro_f1(predictions, labels):
    if len(predictions) != len(labels) or not labels:
        raise ValueError("lengths")
    hits = Counter(p for p, y in zip(predictions, labels, strict=False) if p == y)
    seen = Counter(predictions) + Counter(labels)
    return sum(2 * hits[c] / seen[c] for c in seen) / len(seen)
