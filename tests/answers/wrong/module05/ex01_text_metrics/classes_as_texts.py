# names: classes-as-texts
# breaks: "compared as they are (no normal form)"
# Classes are compared as texts.

import string

DROP = {ord(c): None for c in string.punctuation}


def words(text):
    kept = []
    for word in text.lower().translate(DROP).split():
        if word not in ("a", "an", "the"):
            kept.append(word)
    return kept


def exact_match(prediction, answers):
    if not answers:
        raise ValueError("no answers")
    return 1.0 if any(words(prediction) == words(a) for a in answers) else 0.0


def f1(p, a):
    if not p and not a:
        return 1.0
    left = list(a)
    common = 0
    for word in p:
        if word in left:
            left.remove(word)
            common += 1
    return 2 * common / (len(p) + len(a))


def token_f1(prediction, answers):
    if not answers:
        raise ValueError("no answers")
    return max(f1(words(prediction), words(a)) for a in answers)


def macro_f1(predictions, labels):
    if len(predictions) != len(labels) or not labels:
        raise ValueError("unequal or empty")
    predictions, labels = [str(p) for p in predictions], [str(label) for label in labels]
    classes = list(dict.fromkeys([*predictions, *labels]))
    total = 0.0
    for c in classes:
        tp = sum(p == c and right == c for p, right in zip(predictions, labels))
        total += 2 * tp / (predictions.count(c) + labels.count(c))
    return total / len(classes)
