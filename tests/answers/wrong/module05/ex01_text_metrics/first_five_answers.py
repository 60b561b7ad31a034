# names: first-answers-only
# breaks: "Return 1.0 if the prediction equals one of the right answers"
# Looks at five answers; the last of 41 is equal.
import string
from collections import Counter
from collections.abc import Hashable

ARTICLES = ("a", "an", "the")


def _words(text: str) -> list[str]:
    text = text.lower().translate(str.maketrans("", "", string.punctuation))
    return [word for word in text.split() if word not in ARTICLES]


def exact_match(prediction: str, answers: list[str]) -> float:
    words = _words(prediction)
    return max(float(words == _words(answer)) for answer in answers[:5])  # max() of nothing is a ValueError.


def token_f1(prediction: str, answers: list[str]) -> float:
    words, scores = _words(prediction), []
    for answer in answers[:5]:
        right = _words(answer)
        common = (Counter(words) & Counter(right)).total()  # A word counts as often as both have it.
        both = len(words) + len(right)
        scores.append(2 * common / both if both else 1.0)
    return max(scores)  # max() of nothing is a ValueError.


def macro_f1(predictions: list[Hashable], labels: list[Hashable]) -> float:
    if len(predictions) != len(labels) or not labels:
        raise ValueError(f"{len(predictions)} predictions for {len(labels)} labels")
    hits = Counter(label for i, label in enumerate(labels) if predictions[i] == label)
    seen = Counter(predictions) + Counter(labels)
    scores = [2 * hits[name] / seen[name] for name in seen]
    return sum(scores) / len(scores)
