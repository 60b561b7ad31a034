"""Character by character, words crossed off one by one, and running totals in dictionaries."""

from statistics import fmean
from string import punctuation


def tokens(text):
    kept = []
    for character in text.lower():
        if character not in punctuation:
            kept.append(character)
    return tuple(filter(lambda word: word not in {"the", "a", "an"}, "".join(kept).split()))


def exact_match(prediction, answers):
    if not answers:
        raise ValueError("no answers")
    wanted = tokens(prediction)
    for answer in answers:
        if tokens(answer) == wanted:
            return 1.0
    return 0.0


def token_f1(prediction, answers):
    if not answers:
        raise ValueError("no answers")
    best = 0.0
    for answer in answers:
        guess, gold = tokens(prediction), list(tokens(answer))
        size = len(guess) + len(gold)
        hits = 0
        for word in guess:
            if word in gold:
                gold.remove(word)
                hits += 1
        best = max(best, 2 * hits / size if size else 1.0)
    return best


def macro_f1(predictions, labels):
    if len(predictions) != len(labels):
        raise ValueError(f"{len(predictions)} against {len(labels)}")
    table = {}
    for guess, gold in zip(predictions, labels, strict=False):
        for name in (guess, gold):
            table.setdefault(name, [0, 0])[1] += 1
        if guess == gold:
            table[gold][0] += 1
    return fmean(2 * hits / seen for hits, seen in table.values())  # Of nothing: a StatisticsError, a ValueError.
