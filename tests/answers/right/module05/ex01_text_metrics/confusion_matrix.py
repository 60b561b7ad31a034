"""Numpy: word counts as vectors, classes as rows and columns of a confusion matrix."""

import string

import numpy as np

_DROP = dict.fromkeys(map(ord, string.punctuation))


def normal_form(text):
    words = text.translate(_DROP).lower().split()
    return " ".join(w for w in words if w not in ("a", "an", "the"))


def exact_match(prediction, answers):
    if not answers:
        raise ValueError("answers is empty")
    return float(np.any([normal_form(prediction) == normal_form(a) for a in answers]))


def token_f1(prediction, answers):
    if not answers:
        raise ValueError("answers is empty")
    p = normal_form(prediction).split()
    scores = []
    for answer in answers:
        a = normal_form(answer).split()
        vocabulary = sorted(set(p) | set(a))
        if not vocabulary:
            scores.append(1.0)
            continue
        counts = np.array([[side.count(word) for word in vocabulary] for side in (p, a)])
        scores.append(2 * counts.min(axis=0).sum() / counts.sum())
    return float(np.max(scores))


def macro_f1(predictions, labels):
    n = len(labels)
    if n == 0 or n != len(predictions):
        raise ValueError("need two equally long lists")
    index = {}
    for name in list(predictions) + list(labels):
        index.setdefault(name, len(index))
    matrix = np.zeros((len(index), len(index)))
    np.add.at(matrix, ([index[y] for y in labels], [index[p] for p in predictions]), 1)
    hits = np.diag(matrix)
    precision = np.divide(hits, matrix.sum(0), out=np.zeros(len(index)), where=matrix.sum(0) > 0)
    recall = np.divide(hits, matrix.sum(1), out=np.zeros(len(index)), where=matrix.sum(1) > 0)
    total = precision + recall
    return float(np.divide(2 * precision * recall, total, out=np.zeros(len(index)), where=total > 0).mean())
