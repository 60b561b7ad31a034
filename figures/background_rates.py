"""One classifier from scratch, fine-tuned, and with its encoder frozen, at learning rates from 1e-2 to 1e-6.

python figures/background_rates.py

Needs the encoder (`tunelings models get minilm`); some minutes of processor time. A run that is already in the result
file is not made again. With --draw it makes the drawing alone.
"""

import json
import statistics
import sys
from pathlib import Path

import torch
from drawing import plots, results_of, save
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding
from transformers.utils import logging

from tunelings.course import data_folder
from tunelings.handson import models, reviews

HERE = Path(__file__).parent
NAME = Path(__file__).stem
RESULTS = HERE / "results" / f"{NAME}.json"
TRAIN, TEST, BATCH, LENGTH = 320, 300, 16, 32
RATES = ("1e-02", "1e-03", "1e-04", "1e-05", "1e-06")
WAYS = ("from scratch", "fine-tuned", "frozen")
SEEDS = 3


def batches(tokenizer, texts, labels, size):
    collate = DataCollatorWithPadding(tokenizer)
    for start in range(0, len(texts), size):
        encoded = dict(tokenizer(texts[start : start + size], truncation=True, max_length=LENGTH))
        yield collate({**encoded, "labels": labels[start : start + size]})


def start_of(way, path, seed):
    """The model before the first step; frozen: only the pooler and the classifier train."""
    torch.manual_seed(seed)
    if way == "from scratch":
        return AutoModelForSequenceClassification.from_config(AutoConfig.from_pretrained(path, num_labels=2))
    model = AutoModelForSequenceClassification.from_pretrained(path, num_labels=2)
    if way == "frozen":
        model.bert.embeddings.requires_grad_(False)
        model.bert.encoder.requires_grad_(False)
    return model


def run(way, rate, seed, path, tokenizer, train, test):
    """One epoch of AdamW at a constant rate; accuracy on the test reviews, and how many are called positive."""
    model = start_of(way, path, seed)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=float(rate))
    before = [parameter.detach().clone() for parameter in trained]
    model.train()
    for batch in batches(tokenizer, *train, BATCH):
        optimizer.zero_grad()
        model(**batch).loss.backward()
        optimizer.step()
    moved = max((new.detach() - old).abs().max().item() for new, old in zip(trained, before, strict=True))
    model.eval()
    right = positive = 0
    with torch.no_grad():
        for batch in batches(tokenizer, *test, 50):
            said = model(**batch).logits.argmax(1)
            right += (said == batch["labels"]).sum().item()
            positive += said.sum().item()
    print(way, rate, seed, right / TEST, positive / TEST, f"{moved:.4f}", flush=True)
    return {"accuracy": right / TEST, "positive": positive / TEST, "largest_move": moved}


def summary(runs):
    accuracies = [one["accuracy"] for one in runs]
    return {
        "mean": statistics.fmean(accuracies),
        "lowest": min(accuracies),
        "highest": max(accuracies),
        "one_class": sum(one["positive"] in (0.0, 1.0) for one in runs),
        "largest_move": max(one["largest_move"] for one in runs),
    }


def draw():
    results = results_of(NAME)["summary"]
    figure, axes = plots(3.4)
    rates = [float(rate) for rate in RATES]
    for way, style in zip(WAYS, ("s--", "o-", "^:"), strict=True):
        rows = [results[way][rate] for rate in RATES]
        means = [row["mean"] for row in rows]
        spread = [[row["mean"] - row["lowest"] for row in rows], [row["highest"] - row["mean"] for row in rows]]
        axes.errorbar(rates, means, spread, fmt=style, capsize=3, label=way)
    axes.axhline(0.5, color="0.5", lw=0.8)
    axes.set_xscale("log")
    axes.set(xlabel="learning rate", ylabel=f"accuracy on {TEST} reviews", ylim=(0.4, 0.85))
    axes.grid(alpha=0.3)
    axes.legend()
    save(figure, NAME)


def main():
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    path = models.find("minilm")
    tokenizer = AutoTokenizer.from_pretrained(path)
    texts, names = reviews.load_reviews(data_folder("sentiment"))
    order = torch.randperm(len(texts), generator=torch.Generator().manual_seed(0)).tolist()
    chosen = [(texts[i], reviews.LABEL_NAMES.index(names[i])) for i in order[: TRAIN + TEST]]
    train, test = (list(map(list, zip(*part, strict=True))) for part in (chosen[:TRAIN], chosen[TRAIN:]))
    runs = json.loads(RESULTS.read_text(encoding="utf-8"))["runs"] if RESULTS.exists() else {}
    for seed in range(SEEDS):
        for rate in RATES:
            for way in WAYS:
                key = f"{way}, {rate}, seed {seed}"
                if key not in runs:
                    runs[key] = run(way, rate, seed, path, tokenizer, train, test)
                    write(runs, test[1])
    draw()


def write(runs, labels):
    def done(way, rate):
        return [one for key, one in runs.items() if key.startswith(f"{way}, {rate},")]

    table = {way: {rate: summary(done(way, rate)) for rate in RATES if done(way, rate)} for way in WAYS}
    share = max(labels.count(0), labels.count(1)) / len(labels)
    sizes = {"train": TRAIN, "test": TEST, "batch": BATCH, "length": LENGTH, "steps": TRAIN // BATCH}
    results = {"runs": runs, "summary": table, "commonest_label": share, **sizes}
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
