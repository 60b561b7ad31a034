"""How many FAQ answers stand in the documentation, and what a leak does to a reported accuracy.

Prints, writes JSON and SVG.

python figures/module04_contamination.py
"""

import csv
import gzip
import json
import random
import sys
from pathlib import Path

import numpy as np
from drawing import ROOT, plots, save
from scipy.sparse import vstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).parent
NAME = Path(__file__).stem
sys.path.insert(0, str(ROOT / "solutions" / "module04"))
from ex09_contamination import contaminated, words  # noqa: E402

LENGTHS = [3, 5, 8, 13, 20, 30, 50]
SHARES = [0.0, 0.1, 0.25, 0.5, 0.75, 1.0]
SEEDS = 5


def rows_of(path):
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened as file:
        return [json.loads(line) for line in file]


def faq_in_the_documentation():
    """For each n, how many FAQ answers share a run with a passage: of all pages, and without the FAQ's own."""
    answers = [row["answer"] for row in rows_of(ROOT / "data" / "pydocs" / "faq_qa.jsonl")]
    passages = rows_of(ROOT / "data" / "pydocs" / "passages.jsonl.gz")
    everything = [row["text"] for row in passages]
    others = [row["text"] for row in passages if not row["page"].startswith("faq")]
    return {
        "answers": len(answers),
        "answers_of_fewer_than_13_words": sum(len(words(answer)) < 13 for answer in answers),
        "passages": len(everything),
        "passages_of_other_pages": len(others),
        "found": {str(n): len(contaminated(everything, answers, n)) for n in LENGTHS},
        "found_in_other_pages": {str(n): len(contaminated(others, answers, n)) for n in LENGTHS},
    }


def nearest(train, labels, test):
    """The label of the training text with the largest cosine."""
    return labels[np.asarray((test @ train.T).argmax(axis=1)).ravel()]


def logistic(train, labels, test):
    return LogisticRegression(max_iter=1000).fit(train, labels).predict(test)


def leaks():
    """Accuracy on the test reviews, of which a share stands in training too, and on reviews that never do."""
    with gzip.open(ROOT / "data" / "sentiment" / "movie_snippets.csv.gz", "rt", encoding="utf-8", newline="") as file:
        reviews = list(csv.DictReader(file))
    parts = {name: [r for r in reviews if r["split"] == name] for name in ("train", "validation", "test")}
    texts = {name: [r["text"] for r in part] for name, part in parts.items()}
    labels = {name: np.array([int(r["label"]) for r in part]) for name, part in parts.items()}
    as_rows = TfidfVectorizer(ngram_range=(1, 2)).fit(texts["train"])
    rows = {name: as_rows.transform(part) for name, part in texts.items()}
    result = {"train": len(texts["train"]), "test": len(texts["test"]), "fresh": len(texts["validation"])}
    result["test_reviews_found"] = {
        str(n): [texts["test"][i] for i in contaminated(texts["train"], texts["test"], n)] for n in (8, 13)
    }
    for name, model in (("nearest neighbor", nearest), ("logistic regression", logistic)):
        result[name] = {}
        for share in SHARES:
            reported, fresh = [], []
            for seed in range(1 if share in (0, 1) else SEEDS):
                size = len(texts["test"])
                leaked = random.Random(seed).sample(range(size), round(share * size))
                train = vstack([rows["train"], rows["test"][leaked]])
                known = np.concatenate([labels["train"], labels["test"][leaked]])
                reported.append(float((model(train, known, rows["test"]) == labels["test"]).mean()))
                fresh.append(float((model(train, known, rows["validation"]) == labels["validation"]).mean()))
            result[name][str(share)] = {
                "reported": round(float(np.mean(reported)), 6),
                "reported_least_and_most": [round(min(reported), 4), round(max(reported), 4)],
                "fresh": round(float(np.mean(fresh)), 6),
            }
            print(f"{name:<20} {share:>5.0%} leaked ", result[name][str(share)])
    return result


def main():
    faq = faq_in_the_documentation()
    print(json.dumps(faq, indent=2))
    results = {"faq": faq, "leak": leaks()}
    print("test reviews that are found:", results["leak"]["test_reviews_found"])
    (HERE / "results" / f"{NAME}.json").write_text(
        json.dumps(results, indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )
    draw(results)


def draw(results):
    figure, (upper, lower) = plots(6.4, rows=2)
    for key, label in (("found", "all pages"), ("found_in_other_pages", "without the FAQ pages")):
        upper.plot(LENGTHS, [results["faq"][key][str(n)] for n in LENGTHS], marker="o", label=label)
    upper.set_xlabel("n, words in a row")
    upper.set_ylabel(f"FAQ answers found, of {results['faq']['answers']}")
    upper.set_ylim(0, None)
    for name, color in (("nearest neighbor", "C2"), ("logistic regression", "C3")):
        for kind, style in (("reported", "-"), ("fresh", ":")):
            line = [results["leak"][name][str(share)][kind] for share in SHARES]
            lower.plot([100 * s for s in SHARES], line, style, color=color, marker=".", label=f"{name}, {kind}")
    lower.set_xlabel("test reviews that leaked, %")
    lower.set_ylabel("accuracy")
    for axis in (upper, lower):
        axis.legend(fontsize=9)
        axis.grid(alpha=0.3)
    save(figure, NAME)


if __name__ == "__main__":
    main()
