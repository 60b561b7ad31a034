# names: assert-for-an-error
# breaks: "Lists of unequal length, and empty lists, are a ValueError."
# An assert raises an AssertionError.
import string
from collections import Counter
from collections.abc import Hashable


def normal_words(text):
    text = text.lower().translate(str.maketrans("", "", string.punctuation))
    return [word for word in text.split() if word not in ARTICLES]


ARTICLES = ("a", "an", "the")


def exact_match(prediction: str, answers: list[str]) -> float:
    if not answers:
        raise ValueError("no answers")
    return float(any(normal_words(prediction) == normal_words(answer) for answer in answers))


def token_f1(prediction: str, answers: list[str]) -> float:
    if not answers:
        raise ValueError("no answers")
    best, mine = (0.0, Counter(normal_words(prediction)))
    for answer in answers:
        theirs = Counter(normal_words(answer))
        total = mine.total() + theirs.total()
        best = max(best, 2 * (mine & theirs).total() / total if total else 1.0)
    return best


def macro_f1(predictions: list[Hashable], labels: list[Hashable]) -> float:
    assert len(predictions) == len(labels) > 0, "one prediction for each label"
    hits = Counter((p for p, label in zip(predictions, labels) if p == label))
    times = Counter(predictions) + Counter(labels)
    return sum(2 * hits[c] / times[c] for c in times) / len(times)
