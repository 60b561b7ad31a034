# names: normal-form-not-used-in-f1
# breaks: "The words are those of `exact_match`'s normal form."
# token_f1 splits the raw texts; only exact_match uses the normal form.
import string
from collections import Counter


def norm(text):
    text = text.lower().translate(str.maketrans("", "", string.punctuation))
    return " ".join(w for w in text.split() if w not in ("a", "an", "the"))


def exact_match(prediction, answers):
    return max(float(norm(prediction) == norm(a)) for a in answers)


def token_f1(prediction, answers):
    def f1(p, a):
        if not p or not a:
            return float(p == a)
        return 2 * (Counter(p) & Counter(a)).total() / (len(p) + len(a))

    return max(f1(prediction.split(), a.split()) for a in answers)


def macro_f1(predictions, labels):
    if len(predictions) != len(labels) or not labels:
        raise ValueError("lengths")
    classes = list(dict.fromkeys([*predictions, *labels]))
    hits = Counter(p for p, y in zip(predictions, labels, strict=True) if p == y)
    scores = [2 * hits[c] / (predictions.count(c) + labels.count(c)) for c in classes]
    return sum(scores) / len(scores)
