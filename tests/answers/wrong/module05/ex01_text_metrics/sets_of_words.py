# names: set-overlap
# breaks: "`common` counts a word as often as both"
import re
import string


def norm(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    text = re.sub(r"\b(a|an|the)\b", " ", text)
    return " ".join(text.split())


def exact_match(prediction, answers):
    if not answers:
        raise ValueError("no answers")
    return float(norm(prediction) in [norm(a) for a in answers])


def token_f1(prediction, answers):
    if not answers:
        raise ValueError("no answers")
    scores = []
    for answer in answers:
        pred, gold = set(norm(prediction).split()), set(norm(answer).split())
        if not pred or not gold:
            scores.append(float(pred == gold))
            continue
        common = pred & gold
        if not common:
            scores.append(0.0)
            continue
        p, r = len(common) / len(pred), len(common) / len(gold)
        scores.append(2 * p * r / (p + r))
    return max(scores)


def macro_f1(predictions, labels):
    if len(predictions) != len(labels) or not labels:
        raise ValueError("bad lengths")
    scores = []
    for c in set(predictions) | set(labels):
        tp = sum(p == c == y for p, y in zip(predictions, labels, strict=False))
        scores.append(2 * tp / (predictions.count(c) + labels.count(c)))
    return sum(scores) / len(scores)
