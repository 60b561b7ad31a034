"""Measures how wide the interval of a difference is: by the size of the test set, paired and unpaired.

Two cheap classifiers learn 6,000 film reviews of data/sentiment: TF-IDF of words and pairs of words with logistic
regression, and counts of words with naive Bayes. Both answer the same 4,070 other reviews. From these, 60 test sets
are drawn for each size; each gets the paired interval of the reference solution, and one with the systems drawn apart.
Run: python figures/module05_compare_with_confidence.py
"""

import json
from pathlib import Path

import matplotlib
from drawing import ROOT, drawing_path

matplotlib.use("svg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

from tunelings.course import Course, data_folder
from tunelings.grading import answers
from tunelings.handson import reviews

HERE = Path(__file__).parent
NAME = Path(__file__).stem
TRAIN, SETS, RESAMPLES = 6000, 60, 1000
SIZES = (50, 100, 200, 400, 800, 1600, 3200)


def predictions():
    """For each test review, whether logistic regression is right and whether naive Bayes is."""
    texts, labels = reviews.load_reviews(data_folder("sentiment"))
    order = np.random.default_rng(0).permutation(len(texts))
    train, test = order[:TRAIN], order[TRAIN:]
    train_texts, train_labels = [texts[i] for i in train], [labels[i] for i in train]
    test_texts, true = [texts[i] for i in test], [labels[i] for i in test]
    bayes = make_pipeline(CountVectorizer(), MultinomialNB()).fit(train_texts, train_labels)
    said = reviews.bag_of_words(train_texts, train_labels, test_texts), bayes.predict(test_texts).tolist()
    return tuple(np.array([guess == label for guess, label in zip(one, true, strict=True)]) for one in said)


def unpaired(a, b, rng):
    means = [rng.choice(x, size=(RESAMPLES, len(x))).mean(axis=1) for x in (a, b)]
    return np.quantile(means[0] - means[1], [0.025, 0.975])


def main():
    answer = answers.load(answers.read(Course(ROOT).find("5.06").solution_path))
    first, second = predictions()
    rng = np.random.default_rng(1)
    rows = []
    for size in SIZES:
        widths, apart, excludes, excludes_apart, significant = [], [], 0, 0, 0
        for number in range(SETS):
            chosen = rng.choice(len(first), size=size, replace=False)
            a, b = first[chosen].astype(float), second[chosen].astype(float)
            interval = answer.paired_bootstrap(a.tolist(), b.tolist(), RESAMPLES, number)
            low, high = unpaired(a, b, rng)
            widths.append(interval.high - interval.low)
            apart.append(high - low)
            excludes += not interval.low <= 0 <= interval.high
            excludes_apart += not low <= 0 <= high
            significant += answer.mcnemar(first[chosen].tolist(), second[chosen].tolist()) < 0.05
        row = {
            "mcnemar_below_0.05": significant,
            "paired_excludes_0": excludes,
            "size": size,
            "unpaired_excludes_0": excludes_apart,
            "width_paired": round(float(np.mean(widths)), 6),
            "width_unpaired": round(float(np.mean(apart)), 6),
        }
        rows.append(row)
        print(json.dumps(row), flush=True)
    accuracies, difference = (first.mean(), second.mean()), first.mean() - second.mean()
    variances = {
        "paired": float((first != second).mean() - difference**2),
        "unpaired": float(sum(p * (1 - p) for p in accuracies)),
    }
    results = {
        "accuracy": [round(float(first.mean()), 4), round(float(second.mean()), 4)],
        "both_right": round(float((first & second).mean()), 4),
        "only_first": round(float((first & ~second).mean()), 4),
        "only_second": round(float((second & ~first).mean()), 4),
        "sets_of_each_size": SETS,
        "sizes": rows,
        "size_where_half_width_is_the_difference": {
            kind: round(1.96**2 * variance / difference**2) for kind, variance in variances.items()
        },
        "test": len(first),
        "train": TRAIN,
    }
    output = json.dumps(results, indent=2, sort_keys=True)
    print(output)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / f"{NAME}.json").write_text(output + "\n", encoding="utf-8")
    draw(results)


def draw(results):
    figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")
    sizes = [row["size"] for row in results["sizes"]]
    difference = results["accuracy"][0] - results["accuracy"][1]
    for kind, marker in (("unpaired", "s"), ("paired", "o")):
        half = [100 * row[f"width_{kind}"] / 2 for row in results["sizes"]]
        axes.loglog(sizes, half, marker=marker, label=f"half-width, {kind}")
    axes.axhline(100 * abs(difference), color="tab:gray", linestyle="--", label="the difference itself")
    axes.set_xticks(sizes, labels=[f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.set_yticks([1, 2, 5, 10, 20], labels=["1", "2", "5", "10", "20"])
    axes.set_xlabel("reviews in the test set")
    axes.set_ylabel("percentage points")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


matplotlib.rcParams["svg.hashsalt"] = NAME
if __name__ == "__main__":
    main()
