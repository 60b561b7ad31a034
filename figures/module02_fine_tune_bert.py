"""Measures what fine-tuning a real encoder on 2,000 real reviews is worth, against three cheaper ways.

The reference solution of 2.08 fine-tunes MiniLM-L6 with three seeds, and all ways are compared on the same test
sentences, with 95% intervals. The split is that of 4.06's reference: sentences that share the name of a film, an actor
or a director (module02_film_leak.py) are in one part. It needs the encoder (`tunelings models get minilm`) and takes
about half an hour on a CPU.

python figures/module02_fine_tune_bert.py
python figures/drawing.py module02_fine_tune_bert     the picture again
"""

import json
import os
import time
from pathlib import Path

from drawing import ROOT, plots, save
from module02_film_leak import film_groups

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from datasets import concatenate_datasets
from transformers import AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding
from transformers.utils import logging

from tunelings.course import Course, data_folder
from tunelings.grading import answers
from tunelings.handson import models, reviews

NAME = Path(__file__).stem
SEEDS = (0, 1, 2)
TRAIN_COUNT, VALIDATION_COUNT = 2000, 300
EVERY = 12  # updates between two points of a curve; an epoch has 63
NAMES = reviews.LABEL_NAMES


def reference(number):
    return answers.load(answers.read(Course(ROOT).find(number).solution_path))


def rounded(values) -> list[float]:
    return [round(value, 4) for value in values]


def split_by_film(texts, groups, prepared):
    """Train, validation and test of 4.06's split, with the columns of 2.08's `prepare`."""
    records = [{"text": text, "film": group} for text, group in zip(texts, groups, strict=True)]
    parts = reference("4.06").split(records, "text", group="film", seed=0)
    everything = concatenate_datasets(list(prepared))
    place = {text: i for i, text in enumerate(everything["text"])}
    return {name: everything.select([place[r["text"]] for r in part]) for name, part in parts.items()}


def known_films(texts, groups, prepared):
    """How many test sentences of a random split have others of their group in training."""
    group_of = dict(zip(texts, groups, strict=True))
    in_training = {group_of[text] for text in prepared.train["text"]}
    return sum(group_of[text] in in_training for text in prepared.test["text"])


class Curve:
    """Called after each update; every few of them it measures on the validation set, as the model then is."""

    def __init__(self, model, tokenizer, dataset):
        self.model, self.losses, self.points = model, [], []
        rows = dataset.select_columns(["input_ids", "attention_mask", "labels"]).to_list()
        rows.sort(key=lambda row: len(row["input_ids"]))  # Less padding.
        collate = DataCollatorWithPadding(tokenizer)
        self.batches = [collate(rows[start : start + 50]) for start in range(0, len(rows), 50)]
        self.count = len(rows)

    @torch.no_grad()
    def __call__(self, step, loss):
        self.losses.append(loss)
        if (step + 1) % EVERY:
            return
        self.model.eval()
        total, right = 0.0, 0
        for batch in self.batches:
            outputs = self.model(**batch)
            total += outputs.loss.item() * len(batch["labels"])
            right += (outputs.logits.argmax(1) == batch["labels"]).sum().item()
        self.model.train()
        point = [step + 1, sum(self.losses) / len(self.losses), total / self.count, right / self.count]
        self.points.append(rounded(point))
        self.losses = []
        print(point, flush=True)


def fine_tune(answer, path, tokenizer, train_set, val_set, seed):
    """The model, and what there is to draw of its training."""
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(path, num_labels=2, id2label=dict(enumerate(NAMES)))
    curve = Curve(model, tokenizer, val_set)
    config = answer.Config(epochs=4, lr=1e-4, patience=1, seed=seed)
    history = answer.train(model, tokenizer, train_set, val_set, config, on_step=curve)
    return model, {"points": curve.points, "epochs": len(history.val_loss), "val_loss": rounded(history.val_loss)}


def cheaper_ways(model, tokenizer, train_set, all_of_train, test):
    """What the other ways say to the test sentences, and the seconds of processor time of two of them."""
    (train_texts, train_labels), (all_texts, all_labels) = (
        (part["text"][:], [NAMES[i] for i in part["labels"]]) for part in (train_set, all_of_train)
    )
    start = time.process_time()
    predicted = {
        "majority": reviews.majority(train_labels, len(test)),
        "bag of words": reviews.bag_of_words(train_texts, train_labels, test),
    }
    seconds = {"bag of words": time.process_time() - start}
    predicted["bag of words, all labels"] = reviews.bag_of_words(all_texts, all_labels, test)
    start = time.process_time()
    features = reviews.features(model, tokenizer, train_texts + test)
    predicted["frozen features"] = reviews.linear_probe(features[:TRAIN_COUNT], train_labels, features[TRAIN_COUNT:])
    seconds["frozen features"] = time.process_time() - start
    print("baselines done", flush=True)
    return predicted, seconds


def main() -> None:
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    answer = reference("2.08")
    texts, labels = reviews.load_reviews(data_folder("sentiment"))
    path = models.find("minilm")
    tokenizer = AutoTokenizer.from_pretrained(path)
    prepared = answer.prepare(texts, labels, tokenizer, 0, label_names=NAMES)
    groups = film_groups(texts)
    parts = split_by_film(texts, groups, prepared)
    train_set = parts["train"].shuffle(seed=0).select(range(TRAIN_COUNT))
    val_set = parts["validation"].select(range(VALIDATION_COUNT))
    test, true = parts["test"]["text"][:], [NAMES[i] for i in parts["test"]["labels"]]
    base = AutoModelForSequenceClassification.from_pretrained(path, num_labels=2)
    predicted, seconds = cheaper_ways(base, tokenizer, train_set, parts["train"], test)
    said, runs = [], []
    start = time.process_time()
    for seed in SEEDS:
        model, run = fine_tune(answer, path, tokenizer, train_set, val_set, seed)
        said.append(answer.predict(model, tokenizer, test))
        runs.append({**run, "accuracy": rounded(reviews.score(said[-1], true))})
        print(seed, runs[-1]["accuracy"], flush=True)
    seconds["fine-tuned"] = (time.process_time() - start) / len(SEEDS)
    middle = sorted(SEEDS, key=lambda seed: runs[seed]["accuracy"][0])[len(SEEDS) // 2]
    missed = [i for i, label in enumerate(true) if all(one[i] != label for one in said)]
    results = {
        "accuracy": {name: rounded(reviews.score(one, true)) for name, one in predicted.items()},
        "runs": runs,
        "middle": middle,
        "confusion": reviews.confusion(said[middle], true, NAMES),
        "fine_tuned_minus": {
            name: rounded(reviews.compare(said[middle], one, true)) for name, one in predicted.items()
        },
        "missed_by_all": len(missed),
        "missed": [[test[i], true[i]] for i in missed],
        "known_films_in_a_random_test": known_films(texts, groups, prepared),
        "random_test": len(prepared.test),
        "seconds": {name: round(value) for name, value in seconds.items()},
        "sizes": {
            "test": len(true),
            "train": TRAIN_COUNT,
            "train, all": len(parts["train"]),
            "validation": VALIDATION_COUNT,
        },
    }
    text = json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False)
    (ROOT / "figures" / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw(results)
    print(text)


def draw(results: dict) -> None:
    """The losses against the update, a line for each seed; a dot where the weights were kept."""
    figure, (loss, accuracy) = plots(5.4, 2, sharex=True)
    per_epoch = -(-results["sizes"]["train"] // 32)
    for seed, run in enumerate(results["runs"]):
        names = ("training", "validation", "kept") if seed == 0 else (None, None, None)
        updates, train_loss, val_loss, val_accuracy = zip(*run["points"], strict=True)
        loss.plot(updates, train_loss, color="tab:blue", linewidth=1, label=names[0])
        loss.plot(updates, val_loss, color="tab:orange", linewidth=1, linestyle="--", label=names[1])
        accuracy.plot(updates, val_accuracy, color="tab:orange", linewidth=1, linestyle="--")
        best = run["val_loss"].index(min(run["val_loss"]))
        loss.plot((best + 1) * per_epoch, run["val_loss"][best], "o", color="tab:red", markersize=4, label=names[2])
    for axes in (loss, accuracy):
        for epoch in range(1, max(run["epochs"] for run in results["runs"])):
            axes.axvline(epoch * per_epoch, color="0.6", linestyle=":", linewidth=1)
    loss.set_ylim(bottom=0)
    loss.set_ylabel("loss")
    loss.legend(frameon=False, ncols=3)
    accuracy.set(ylabel="accuracy, validation", xlabel="update; dotted: an epoch ends")
    save(figure, NAME)


if __name__ == "__main__":
    main()
