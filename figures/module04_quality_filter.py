"""A thousand good labels against eight thousand of which some are wrong, and what the filter says of good answers.

python figures/module04_quality_filter.py

The reviews are those of data/sentiment. Labels of the training part are flipped at random; the test part keeps its own.
Without MiniLM (`tunelings models get minilm`) its half is left out.
"""

import json
import random
import sys
from collections import Counter
from pathlib import Path
from statistics import mean, stdev

import matplotlib
from drawing import ROOT, drawing_path

matplotlib.use("svg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).parent
NAME = Path(__file__).stem
sys.path[:0] = [str(ROOT), str(ROOT / "solutions" / "module04")]
from ex03_quality_filter import is_truncated, prose, quality_issues  # noqa: E402

from tunelings.course import data_folder  # noqa: E402
from tunelings.handson import models  # noqa: E402
from tunelings.handson.reviews import features, load_reviews  # noqa: E402

SIZES = [1000, 2000, 4000, 8000]
MOST_ENCODED = 4500  # reviews of the pool that MiniLM reads: it takes a hundred times as long as counting words
NOISES = [0.0, 0.1, 0.2, 0.3, 0.4]
SEEDS = range(5)
TEST = 1500


def bags(texts):
    """TF-IDF of words and pairs of words; no label is used, so it may be fitted once, on the training pool."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2).fit(texts[TEST:])
    return vectorizer.transform(texts)


def sentence_vectors(texts):
    """The mean of MiniLM's last hidden states; texts of like length go together, or None without the model."""
    try:
        folder = models.find("minilm")
    except FileNotFoundError as error:
        print(f"without MiniLM: {error}")
        return None
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(1)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    rows = features(model, tokenizer, [texts[i] for i in order])
    return rows[np.argsort(order)]


def accuracies(rows, labels, size, noise):
    """The accuracy on the test part for each seed: which `size` reviews are drawn, and which labels are flipped."""
    found = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        drawn = TEST + rng.permutation(rows.shape[0] - TEST)[:size]
        flipped = rng.permutation(size)[: round(noise * size)]
        wrong = labels[drawn].copy()
        wrong[flipped] = 1 - wrong[flipped]
        classifier = LogisticRegression(max_iter=1000).fit(rows[drawn], wrong)
        found.append(float((classifier.predict(rows[:TEST]) == labels[:TEST]).mean()))
    return found


def on_real_answers():
    """What the filter says of the 175 answers of Python's FAQ, all written by people who knew."""
    with open(data_folder("pydocs") / "faq_qa.jsonl", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    counts = Counter()
    for row in rows:
        issues = quality_issues({"prompt": row["question"], "completion": row["answer"]})
        counts.update(issues)
        counts["at least one"] += bool(issues)
        counts["indented code at the end"] += is_truncated(row["answer"]) and ends_in_indented_code(row["answer"])
        counts["at most 40 characters"] += len(row["answer"].strip()) <= 40
        counts["not ASCII"] += not prose(row["answer"]).isascii()
        words = row["answer"].split()
        counts["over 0.3 of the words repeated"] += len(words) - len(set(words)) > 0.3 * len(words)
    return {"answers": len(rows), **counts}


def ends_in_indented_code(text):
    return text.rstrip().splitlines()[-1].startswith("   ")


def main():
    reviews = load_reviews(data_folder("sentiment"))
    order = random.Random(0).sample(range(len(reviews.texts)), len(reviews.texts))
    texts = [reviews.texts[i] for i in order]
    labels = np.array([int(reviews.labels[i] == "positive") for i in order])
    results = {"filter_on_175_faq_answers": on_real_answers()}
    print(json.dumps(results, indent=2))
    for kind, rows in (
        ("bag of words", bags(texts)),
        ("frozen MiniLM", sentence_vectors(texts[: TEST + MOST_ENCODED])),
    ):
        if rows is None:
            continue
        sizes = [size for size in SIZES if TEST + size <= rows.shape[0]]
        table = {
            f"{noise:.0%} flipped": {str(size): accuracies(rows, labels, size, noise) for size in sizes}
            for noise in NOISES
        }
        results[kind] = {
            noise: {size: {"mean": round(mean(a), 4), "sd": round(stdev(a), 4)} for size, a in row.items()}
            for noise, row in table.items()
        }
        for noise, row in results[kind].items():
            cells = "  ".join(f"{size}: {cell['mean']:.3f} ± {cell['sd']:.3f}" for size, cell in row.items())
            print(f"{kind}, {noise}:  {cells}")
    text = json.dumps(results, indent=2, sort_keys=True)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw({kind: results[kind] for kind in ("bag of words", "frozen MiniLM") if kind in results})


def draw(results):
    figure, panels = plt.subplots(
        len(results), 1, figsize=(5.2, 3.3 * len(results)), sharex=True, layout="constrained", squeeze=False
    )
    for axes, (kind, table) in zip(panels[:, 0], results.items(), strict=True):
        for noise, row in table.items():
            sizes = [size for size in SIZES if str(size) in row]
            means = [row[str(size)]["mean"] for size in sizes]
            spreads = [row[str(size)]["sd"] for size in sizes]
            axes.errorbar(sizes, means, yerr=spreads, marker="o", markersize=4, capsize=2)
            axes.annotate(noise, (sizes[-1], means[-1]), (6, -3), textcoords="offset points", fontsize=9)
        axes.axhline(table["0% flipped"]["1000"]["mean"], color="gray", linewidth=0.8, linestyle="--")
        axes.set_xscale("log")
        axes.set_xlim(900, 18_000)
        axes.set_xticks(SIZES, labels=[f"{size:,}" for size in SIZES])
        axes.minorticks_off()
        axes.set_title(kind, fontsize=10)
        axes.set_ylabel("accuracy on clean reviews")
        axes.grid(alpha=0.3)
    panels[-1, 0].set_xlabel("training examples")
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


matplotlib.rcParams["svg.hashsalt"] = NAME
if __name__ == "__main__":
    main()
