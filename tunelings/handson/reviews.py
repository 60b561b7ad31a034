"""The film reviews of module 02: read them, judge the simple ways to classify them, show what came out.

A fine-tuned encoder is worth its cost only against what is cheaper: always the commonest label, a bag of words,
or the frozen encoder's features with a linear classifier. The baselines are here, and the intervals without which
two accuracies cannot be compared.
"""

from __future__ import annotations

import csv
import gzip
import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tunelings.course import shipped

LABEL_NAMES = ["negative", "positive"]


class Reviews(NamedTuple):
    texts: list[str]
    labels: list[str]


def load_reviews(folder: str | Path) -> Reviews:
    """All reviews of movie_snippets.csv.gz in `folder`, in the order of the file; labels are LABEL_NAMES."""
    path = shipped(Path(folder, "movie_snippets.csv.gz"), "reviews")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Reviews([row["text"] for row in rows], [LABEL_NAMES[int(row["label"])] for row in rows])


# ---------------------------------------------------------------- the baselines
def majority(train_labels: Sequence[str], count: int) -> list[str]:
    """The commonest label of the training part, for everyone."""
    return [Counter(train_labels).most_common(1)[0][0]] * count


def bag_of_words(train_texts: Sequence[str], train_labels: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Logistic regression on TF-IDF of words and pairs of words; both learn from the training part alone."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    classifier = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=1000))
    return classifier.fit(train_texts, train_labels).predict(texts).tolist()


def features(model, tokenizer, texts: Sequence[str], on_batch: Callable[[int], None] | None = None, batch_size=32):
    """The mean of the encoder's last hidden states over each text, as an array [N, hidden]; nothing is trained."""
    import torch

    was_training = model.training
    model.eval()
    rows = []
    with torch.no_grad():
        for start in range(0, len(texts), batch_size):
            part = list(texts[start : start + batch_size])
            batch = tokenizer(part, truncation=True, max_length=64, padding=True, return_tensors="pt").to(model.device)
            hidden = model.base_model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            rows.append(((hidden * mask).sum(1) / mask.sum(1)).float().cpu())
            if on_batch is not None:
                on_batch(start + len(part))
    model.train(was_training)
    return torch.cat(rows).numpy()


def linear_probe(train_features, train_labels: Sequence[str], features) -> list[str]:
    """Logistic regression on features of a frozen encoder."""
    from sklearn.linear_model import LogisticRegression

    classifier = LogisticRegression(max_iter=1000)
    return classifier.fit(train_features, train_labels).predict(features).tolist()


# ---------------------------------------------------------------- how sure one can be
class Score(NamedTuple):
    """An accuracy and its 95% interval (Wilson's)."""

    accuracy: float
    low: float
    high: float


def score(predicted: Sequence[str], true: Sequence[str]) -> Score:
    n, z = len(true), 1.96
    p = sum(a == b for a, b in zip(predicted, true, strict=True)) / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Score(p, middle - half, middle + half)


class PairedDifference(NamedTuple):
    """How much more often the first is right than the second, on the same texts, with its 95% interval."""

    difference: float
    low: float
    high: float
    first_only: int
    second_only: int


def compare(first: Sequence[str], second: Sequence[str], true: Sequence[str]) -> PairedDifference:
    """The paired comparison: only the texts count on which exactly one of the two is right."""
    n = len(true)
    rows = list(zip(first, second, true, strict=True))
    first_only = sum(a == t != b for a, b, t in rows)
    second_only = sum(b == t != a for a, b, t in rows)
    difference = (first_only - second_only) / n
    half = 1.96 * math.sqrt(((first_only + second_only) / n - difference**2) / n)
    return PairedDifference(difference, difference - half, difference + half, first_only, second_only)


# ---------------------------------------------------------------- the pictures
def draw_curves(history, path: str | Path) -> None:
    """Save the losses and the validation accuracy of each epoch as a picture."""
    from matplotlib.figure import Figure

    epochs = range(1, len(history.train_loss) + 1)
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    loss_axes.plot(epochs, history.train_loss, marker="o", label="training")
    loss_axes.plot(epochs, history.val_loss, marker="s", label="validation")
    loss_axes.set_title("loss")
    loss_axes.legend()
    accuracy_axes.plot(epochs, history.val_accuracy, marker="s", color="tab:orange")
    accuracy_axes.set_title("validation accuracy")
    for axes in (loss_axes, accuracy_axes):
        axes.set_xlabel("epoch")
        axes.set_xticks(list(epochs))
    # From 0: a difference looks as large as it is.
    loss_axes.set_ylim(bottom=0)
    accuracy_axes.set_ylim(0, 1)
    figure.savefig(path, metadata={"Date": None} if str(path).endswith(".svg") else None)


def confusion(predicted: Sequence[str], true: Sequence[str], names: Sequence[str]) -> list[list[int]]:
    """How often each true label (row) was given each prediction (column)."""
    pairs = Counter(zip(true, predicted, strict=True))
    return [[pairs[row, column] for column in names] for row in names]


def draw_confusion(predicted: Sequence[str], true: Sequence[str], names: Sequence[str], path: str | Path) -> None:
    """Save the confusion matrix as a picture."""
    from matplotlib.figure import Figure

    table = confusion(predicted, true, names)
    figure = Figure(figsize=(4.5, 4), layout="constrained")
    axes = figure.subplots()
    axes.imshow(table, cmap="Blues", vmin=0)
    axes.set_xticks(range(len(names)), labels=names)
    axes.set_yticks(range(len(names)), labels=names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    most = max(map(max, table))
    for row, counts in enumerate(table):
        for column, count in enumerate(counts):
            color = "white" if count > most / 2 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=color)
    figure.savefig(path)
