"""The same classifier on the same passages, split at random and split by page; and who moves when data are appended.

python figures/module04_split_data.py

The passages are those of data/pydocs; the question is whether one comes from the FAQ or from the library reference.
"""

import gzip
import json
import random
import sys
from pathlib import Path
from statistics import mean, stdev

import matplotlib
from drawing import ROOT, drawing_path

matplotlib.use("svg")
import matplotlib.pyplot as plt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

HERE = Path(__file__).parent
NAME = Path(__file__).stem
sys.path.insert(0, str(ROOT / "solutions" / "module04"))
from ex06_split_data import split  # noqa: E402

SEEDS = range(40)


def passages():
    """Passages of the FAQ and of the library reference; the page is the group, the first part of its name the label."""
    with gzip.open(ROOT / "data" / "pydocs" / "passages.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    kept = [row for row in rows if row["page"].split("/")[0] in ("faq", "library")]
    return [{**row, "label": row["page"].split("/")[0]} for row in kept]


def classifiers():
    def words():
        return TfidfVectorizer(sublinear_tf=True, stop_words="english")

    return {
        "nearest neighbor": make_pipeline(words(), KNeighborsClassifier(1)),
        "bag of words": make_pipeline(words(), LogisticRegression(C=10, max_iter=1000)),
    }


def balanced(predicted, truth):
    """The mean over the two labels of how many of its passages are found: 0.5 for whoever always says the same."""
    shares = []
    for label in ("faq", "library"):
        of_label = [p == label for p, t in zip(predicted, truth, strict=True) if t == label]
        shares.append(sum(of_label) / len(of_label))
    return mean(shares)


def scores(records, group):
    """Balanced and plain accuracy on the test part for each seed, and how much of it has a page that train has too."""
    found = {name: {"balanced": [], "plain": []} for name in classifiers()}
    shared, left_out = [], 0
    for seed in SEEDS:
        parts = split(records, "id", group=group, fractions=(0.7, 0.0, 0.3), seed=seed)
        train, test = parts["train"], parts["test"]
        labels, truth = [one["label"] for one in train], [one["label"] for one in test]
        if len(set(labels)) < 2 or len(set(truth)) < 2:
            left_out += 1  # With 28 pages it happens that all pages of the FAQ are on one side.
            continue
        pages = {one["page"] for one in train}
        shared.append(sum(one["page"] in pages for one in test) / len(test))
        for name, classifier in classifiers().items():
            classifier.fit([one["text"] for one in train], labels)
            predicted = classifier.predict([one["text"] for one in test])
            found[name]["balanced"].append(balanced(predicted, truth))
            found[name]["plain"].append(float((predicted == truth).mean()))
    return found, {"share of the test whose page is in train": mean(shared), "seeds left out": left_out}


def moved(records):
    """How many of 800 records change sides when the rest is appended: by a hash, and by a seeded shuffle."""
    old, everyone = records[:800], records
    by_hash = {}
    for rows in (old, everyone):
        parts = split(rows, "id")
        by_hash[len(rows)] = {one["id"]: name for name in parts for one in parts[name]}
    by_shuffle = {}
    for rows in (old, everyone):
        order = random.Random(0).sample(rows, len(rows))
        limits = (round(0.8 * len(rows)), round(0.9 * len(rows)))
        by_shuffle[len(rows)] = {one["id"]: sum(i >= limit for limit in limits) for i, one in enumerate(order)}
    return {
        kind: {
            "moved": sum(places[800][one["id"]] != places[len(everyone)][one["id"]] for one in old),
            "of_the_old_test_now_in_train": sum(
                places[800][one["id"]] in ("test", 2) and places[len(everyone)][one["id"]] in ("train", 0)
                for one in old
            ),
            "old_test": sum(place in ("test", 2) for place in places[800].values()),
        }
        for kind, places in (("hash", by_hash), ("shuffle", by_shuffle))
    }


def summary(values):
    return {"mean": round(mean(values), 4), "sd": round(stdev(values), 4)}


def main():
    records = passages()
    everything = {}
    results = {
        "passages": len(records),
        "pages": len({one["page"] for one in records}),
        "appended": moved(random.Random(1).sample(records, len(records))),
    }
    for name, group in (("random split", None), ("split by page", "page")):
        everything[name], of_split = scores(records, group)
        results[name] = {
            kind: {measure: summary(values) for measure, values in of_kind.items()}
            for kind, of_kind in everything[name].items()
        }
        results[name] |= of_split
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw(everything)


def draw(everything):
    figure, axes = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
    names = list(classifiers())
    for offset, (kind, color) in enumerate(zip(everything, ("tab:orange", "tab:blue"), strict=True)):
        for row, name in enumerate(names):
            values = everything[kind][name]["balanced"]
            height = row + 0.36 * offset - 0.18
            jitter = [height + 0.11 * (random.Random(i).random() - 0.5) for i in range(len(values))]
            axes.scatter(values, jitter, s=12, alpha=0.5, color=color, label=kind if row == 0 else None)
            axes.plot([mean(values)] * 2, [height - 0.13, height + 0.13], color=color, linewidth=2.5)
    axes.set_yticks(range(len(names)), labels=names)
    axes.set_xlabel("balanced accuracy, one dot for each seed; bar: mean")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    axes.axvline(0.5, color="gray", linewidth=0.8, linestyle="--")
    axes.grid(axis="x", alpha=0.3)
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


matplotlib.rcParams["svg.hashsalt"] = NAME
if __name__ == "__main__":
    main()
