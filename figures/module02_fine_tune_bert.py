"""Measures what fine-tuning a real encoder on 2,000 real reviews is worth, against three cheaper ways.

The reference solution of 2.08 splits the 10,070 reviews, fine-tunes MiniLM-L6 on 2,000 of the training part, and
all ways are compared on the same 1,007 test reviews, with 95 % intervals. One seed. It needs the encoder
(`tunelings models get minilm`) and takes some minutes on a CPU.
Run: python figures/module02_fine_tune_bert.py
"""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace

from drawing import ROOT, drawing_path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging

from tunelings.course import Course, data_folder
from tunelings.grading import answers
from tunelings.handson import models, reviews

NAME = Path(__file__).stem
TRAIN_COUNT = 2000
NAMES = reviews.LABEL_NAMES


def rounded(values) -> list[float]:
    return [round(value, 4) for value in values]


def main() -> None:
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    answer = answers.load(answers.read(Course(ROOT).find("2.08").solution_path))
    texts, labels = reviews.load_reviews(data_folder("sentiment"))
    path = models.find("minilm")
    tokenizer = AutoTokenizer.from_pretrained(path)
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(path, num_labels=2, id2label=dict(enumerate(NAMES)))
    splits = answer.prepare(texts, labels, tokenizer, 0, label_names=NAMES)
    train_set = splits.train.shuffle(seed=0).select(range(TRAIN_COUNT))
    (train_texts, train_labels), (all_texts, all_labels), (test_texts, true) = (
        (part["text"][:], [NAMES[i] for i in part["labels"]]) for part in (train_set, splits.train, splits.test)
    )
    start = time.perf_counter()
    predicted = {
        "majority": reviews.majority(train_labels, len(true)),
        "bag of words": reviews.bag_of_words(train_texts, train_labels, test_texts),
    }
    seconds = {"bag of words": time.perf_counter() - start}
    predicted["bag of words, all labels"] = reviews.bag_of_words(all_texts, all_labels, test_texts)
    start = time.perf_counter()
    features = reviews.features(model, tokenizer, train_texts + test_texts)
    predicted["frozen features"] = reviews.linear_probe(features[:TRAIN_COUNT], train_labels, features[TRAIN_COUNT:])
    seconds["frozen features"] = time.perf_counter() - start
    print("baselines done", flush=True)
    start = time.perf_counter()
    config = answer.Config(epochs=4, lr=1e-4, patience=1)

    def on_step(step: int, loss: float) -> None:
        if step % 21 == 0:
            print(f"step {step}, loss {loss:.3f}, {time.perf_counter() - start:.0f} s", flush=True)

    history = answer.train(model, tokenizer, train_set, splits.validation, config, on_step=on_step)
    seconds["fine-tuned"] = time.perf_counter() - start
    predicted["fine-tuned"] = answer.predict(model, tokenizer, test_texts)
    results = {
        "accuracy": {name: rounded(reviews.score(said, true)) for name, said in predicted.items()},
        "confusion": reviews.confusion(predicted["fine-tuned"], true, NAMES),
        "fine_tuned_minus": {
            name: rounded(reviews.compare(predicted["fine-tuned"], said, true))
            for name, said in predicted.items()
            if name != "fine-tuned"
        },
        "history": {name: rounded(values) for name, values in history._asdict().items()},
        "seconds": {name: round(value) for name, value in seconds.items()},
        "sizes": {"test": len(true), "train": TRAIN_COUNT, "train, all": len(all_texts)},
    }
    out = Path(__file__).parent / "results" / f"{NAME}.json"
    out.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    draw(results)
    print(json.dumps(results, indent=1, sort_keys=True))


def draw(results: dict) -> None:
    reviews.draw_curves(SimpleNamespace(**results["history"]), drawing_path(NAME))


if __name__ == "__main__":
    main()
