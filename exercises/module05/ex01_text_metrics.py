"""5.01 · Text metrics: decide what counts as equal, for words and for classes.

The same answers get different scores under different rules, so every reported number needs its rule.
"""

import string
from collections import Counter
from collections.abc import Hashable

ARTICLES = ("a", "an", "the")


def exact_match(prediction: str, answers: list[str]) -> float:
    """Return 1.0 if the prediction equals one of the right answers in normal form, else 0.0.

    The normal form of a text, in this order: lower case (`str.lower`); every character of
    `string.punctuation` deleted (nothing replaces it); the words "a", "an" and "the" deleted; the remaining
    words joined by single spaces. Words are separated by white space of any kind, as in `str.split()`.
    Nothing else is changed: accents, other scripts and signs outside `string.punctuation` stay. An article
    that touches such a sign may count as a word or not.

    Args:
        prediction: any text, even an empty one.
        answers: the right answers, which may be empty texts; not changed. An empty list is a ValueError.

    Returns:
        A float, not a bool. Two texts whose normal forms are both empty are equal.

    Method: Rajpurkar et al., SQuAD (2016), section 6.1, https://arxiv.org/abs/1606.05250
    """
    # TODO: compare the normal forms; one equal answer is enough.
    raise NotImplementedError("TODO")


def token_f1(prediction: str, answers: list[str]) -> float:
    """Return the overlap of the prediction with the right answer closest to it, from 0.0 to 1.0.

    For one answer it is the F1 of words: 2 · common / (words of the prediction + words of the answer), the
    harmonic mean of precision and recall. The words are those of `exact_match`'s normal form. `common` counts
    a word as often as both texts contain it: "well well" shares one word with "well", and two with
    "well, well, well". The order of the words doesn't matter.

    Args:
        prediction: any text, even an empty one.
        answers: the right answers, which may be empty texts; not changed. An empty list is a ValueError.

    Returns:
        The largest F1 over the answers, as a float. If neither text has a word left, it is 1; if only one has
        none, it is 0.

    Method: Rajpurkar et al., SQuAD (2016), section 6.1, https://arxiv.org/abs/1606.05250
    """
    # TODO: F1 over words, each counted as often as it stands in both; the best over the answers.
    raise NotImplementedError("TODO")


def macro_f1(predictions: list[Hashable], labels: list[Hashable]) -> float:
    """Return the mean of the classes' F1; every class has the same weight, however rare it is.

    The F1 of a class is 2 · hits / (times predicted + times right): the harmonic mean of the share of its
    predictions that are right and the share of its items that are found; 0 if there is no hit. The classes
    are all those that appear in the predictions or in the labels.

    Args:
        predictions: one class for each item, texts or ints, compared as they are (no normal form).
        labels: the right classes, in the same order. Neither list is changed.

    Returns:
        A float from 0.0 to 1.0. Lists of unequal length, and empty lists, are a ValueError.

    scikit-learn's `f1_score(labels, predictions, average="macro")` gives the same number; here you compute it
    yourself.

    Method: https://scikit-learn.org/stable/modules/generated/sklearn.metrics.f1_score.html
    """
    # TODO: hits, predictions and labels of each class; F1 of each; their mean.
    raise NotImplementedError("TODO")
