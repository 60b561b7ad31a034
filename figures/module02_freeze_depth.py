"""How deep to freeze: accuracy and computing time of MiniLM on real reviews, with more and more of it frozen. JSON.

python figures/module02_freeze_depth.py

Needs the encoder (`tunelings models get minilm`). Time is processor time on one thread, which other work on the machine
changes little.
"""

import json
import statistics
import time
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding
from transformers.utils import logging

from tunelings.course import data_folder
from tunelings.handson import models, reviews

HERE = Path(__file__).parent
NAME = Path(__file__).stem
TRAIN, TEST, BATCH, LENGTH = 640, 500, 32, 48
SEEDS = 3


def batches(tokenizer, texts, labels):
    collate = DataCollatorWithPadding(tokenizer)
    for start in range(0, len(texts), BATCH):
        encoded = dict(tokenizer(texts[start : start + BATCH], truncation=True, max_length=LENGTH))
        yield collate({**encoded, "labels": labels[start : start + BATCH]})


def run(frozen_layers, seed, path, tokenizer, train, test):
    """One epoch with the embeddings and the first layers frozen; all 6 layers: only pooler and head train."""
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(path, num_labels=2)
    if frozen_layers:
        for part in (model.bert.embeddings, *model.bert.encoder.layer[:frozen_layers]):
            part.requires_grad_(False)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)
    model.train()
    start = time.process_time()
    for batch in batches(tokenizer, *train):
        optimizer.zero_grad()
        model(**batch).loss.backward()
        optimizer.step()
    seconds = time.process_time() - start
    model.eval()
    right = 0
    with torch.no_grad():
        for batch in batches(tokenizer, *test):
            right += (model(**batch).logits.argmax(1) == batch["labels"]).sum().item()
    print(frozen_layers, seed, right / TEST, f"{seconds:.1f} s")
    return {"parameters": sum(parameter.numel() for parameter in trained), "accuracy": right / TEST, "seconds": seconds}


def summary(frozen_layers, runs):
    accuracies = [one["accuracy"] for one in runs]
    return {
        "frozen_layers": frozen_layers,
        "trained_parameters": runs[0]["parameters"],
        "accuracy": statistics.fmean(accuracies),
        "lowest": min(accuracies),
        "highest": max(accuracies),
        "seconds": statistics.median(one["seconds"] for one in runs),
    }


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
    rows = [
        summary(depth, [run(depth, seed, path, tokenizer, train, test) for seed in range(SEEDS)])
        for depth in (0, 2, 4, 6)
    ]
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps({"rows": rows}, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
