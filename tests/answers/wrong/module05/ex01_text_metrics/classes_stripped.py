# names: classes-stripped
# breaks: "compared as they are (no normal form)"
# Blanks at the ends of a class are taken off, as of a line of a file.
import string
from collections import Counter

ARTICLES = ("a", "an", "the")


def normal_form(text):
    text = text.lower()
    text = "".join(sign for sign in text if sign not in string.punctuation)
    return " ".join(word for word in text.split() if word not in ARTICLES)


def exact_match(prediction, answers):
    if not answers:
        raise ValueError("no right answers")
    wanted = normal_form(prediction)
    return float(any(normal_form(answer) == wanted for answer in answers))


def f1(prediction, answer):
    if not prediction or not answer:
        return float(prediction == answer)
    common = sum((Counter(prediction) & Counter(answer)).values())
    return 2 * common / (len(prediction) + len(answer))


def token_f1(prediction, answers):
    if not answers:
        raise ValueError("no right answers")
    words = normal_form(prediction).split()
    return max(f1(words, normal_form(answer).split()) for answer in answers)


def macro_f1(predictions, labels):
    if len(predictions) != len(labels):
        raise ValueError("unequal lengths")
    if not labels:
        raise ValueError("no items")
    predictions = [name.strip() if isinstance(name, str) else name for name in predictions]
    labels = [name.strip() if isinstance(name, str) else name for name in labels]
    classes = set(predictions) | set(labels)
    total = 0.0
    for name in classes:
        hits = sum(p == name and y == name for p, y in zip(predictions, labels))
        predicted, right = predictions.count(name), labels.count(name)
        total += 2 * hits / (predicted + right)
    return total / len(classes)
