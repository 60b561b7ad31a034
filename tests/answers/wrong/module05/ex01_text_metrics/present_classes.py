# names: classes-of-the-labels-only
# breaks: "The classes are all those that appear in the predictions or in the labels."
import re
import string
from collections import Counter


def words(text):
    text = text.lower().translate(str.maketrans("", "", string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def exact_match(prediction, answers):
    return max(1.0 if words(prediction) == words(a) else 0.0 for a in answers)


def token_f1(prediction, answers):
    def f1(p, a):
        if p == a:
            return 1.0
        same = (Counter(p) & Counter(a)).total()
        if same == 0:
            return 0.0
        precision, recall = same / len(p), same / len(a)
        return 2 * precision * recall / (precision + recall)

    return max(f1(words(prediction), words(a)) for a in answers)


def macro_f1(predictions, labels):
    if len(predictions) != len(labels) or not labels:
        raise ValueError("unequal or empty")
    scores = {}
    for c in labels:
        tp = sum(p == c and y == c for p, y in zip(predictions, labels, strict=False))
        predicted = sum(p == c for p in predictions)
        actual = sum(y == c for y in labels)
        scores[c] = 2 * tp / (predicted + actual)
    return sum(scores.values()) / len(scores)
