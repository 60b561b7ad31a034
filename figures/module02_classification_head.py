"""Measures what a kept head, a new head and a random body are worth at the start of a fine-tuning and after it.

A small BERT learns to sort texts into 3 topics, from 4,000 texts. Its checkpoint is then loaded for the same
topics with their labels in another order, in three ways, and trained on 24 texts; means over 5 seeds. A text
has 12 words: 5 of the 60 of its topic, 7 of 120 that belong to none.
Run: python figures/module02_classification_head.py
With --draw it makes the drawing alone, from the numbers of the last run.
"""

import json
import sys
import tempfile
from pathlib import Path

import torch
from drawing import FROZEN, ROOT, TRAINS, arrow, box, results_of, save, sheet
from torch.nn import functional as F
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    BertTokenizer,
)
from transformers.utils import logging

from tunelings.course import Course
from tunelings.grading import answers

NAME = Path(__file__).stem
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
BEFORE, NOW = ["sport", "politics", "science"], ["science", "sport", "politics"]
SHOWN = (0, 10, 40)
SEEDS = 5


def config(labels):
    return BertConfig(
        vocab_size=305,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=16,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )


def texts(count, labels, generator):
    """Ids of `count` texts with the number of their topic in `labels`."""
    topics = torch.randint(0, 3, (count,), generator=generator)
    of_topic = 5 + 60 * topics[:, None] + torch.randint(0, 60, (count, 5), generator=generator)
    of_none = 185 + torch.randint(0, 120, (count, 7), generator=generator)
    order = torch.rand(count, 12, generator=generator).argsort(1)
    words = torch.cat([of_topic, of_none], 1).gather(1, order)
    ends = torch.tensor([[2, 3]]).expand(count, 2)
    number = torch.tensor([labels.index(label) for label in BEFORE])
    return torch.cat([ends[:, :1], words, ends[:, 1:]], 1), number[topics]


def judge(model, ids, labels):
    with torch.no_grad():
        logits = model(input_ids=ids).logits
    accuracy = (logits.argmax(-1) == labels).double().mean().item()
    return {"accuracy": round(accuracy, 3), "loss": round(F.cross_entropy(logits, labels).item(), 3)}


def train(model, ids, labels, steps, size, lr, test=None):
    """Results on the test texts after each number of steps in SHOWN."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    generator = torch.Generator().manual_seed(1)
    results = {}
    for step in range(steps + 1):
        if test and step in SHOWN:
            results[step] = judge(model, *test)
        rows = torch.randint(0, len(ids), (size,), generator=generator)
        loss = F.cross_entropy(model(input_ids=ids[rows]).logits, labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return results


def mean(results):
    return {key: round(sum(result[key] for result in results) / len(results), 3) for key in results[0]}


def library_alone(path, labels):
    """The call of the tutorials, with what it says is missing or does not fit."""
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: i for i, label in enumerate(labels)}}
    model, said = AutoModelForSequenceClassification.from_pretrained(
        path, **names, ignore_mismatched_sizes=True, output_loading_info=True
    )
    return model, sorted(said["missing_keys"]), sorted(name for name, *_ in said["mismatched_keys"])


def draw():
    """How a head that was trained for other labels is taken over row by row."""
    results = results_of(NAME)
    figure, axes = sheet(4.2)
    axes.text(10.5, 39.5, "checkpoint", ha="center")
    axes.text(41.5, 39.5, "model for new labels", ha="center")
    for x in (1, 32):
        box(axes, x, 32, 19, 6, "body: bert.…", TRAINS)
        axes.text(x, 28, "head: weight [3, d]")
    arrow(axes, (20.5, 35), (31.5, 35))
    for row, (old, new) in enumerate(zip(BEFORE, NOW, strict=True)):
        y = 22.5 - 5 * row
        box(axes, 1, y, 19, 4, f"row {row}: {old}", TRAINS)
        box(axes, 32, y, 19, 4, f"row {row}: {new}", FROZEN, "//")
        arrow(axes, (20.5, y + 2), (31.5, y + 2))
    for y in (36, 25.5):
        axes.text(26, y, "values taken", ha="center")
    old, new = results["old head"]["0"], results["new head"]["0"]
    axes.text(
        1, 8.5, "Hatched: trained for another name. A text about\nsport gets its largest logit in row 0, now “science”."
    )
    axes.text(1, 4.7, f"this head: accuracy {old['accuracy']:.3f}, first loss {old['loss']:.3f}")
    axes.text(1, 1.5, f"a new head: accuracy {new['accuracy']:.3f}, first loss {new['loss']:.3f}")
    save(figure, NAME)


def main():
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    answer = answers.load(answers.read(Course(ROOT).find("2.07").solution_path))
    generator = torch.Generator().manual_seed(0)
    test = texts(2000, NOW, generator)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        path = {}
        for name, kind in {"body": BertModel, "language model": BertForMaskedLM}.items():
            torch.manual_seed(0)
            path[name] = Path(folder, name)
            kind(config(BEFORE)).save_pretrained(path[name])
        path["classifier"] = Path(folder, "classifier")
        torch.manual_seed(0)
        teacher = BertForSequenceClassification(config(BEFORE))
        train(teacher, *texts(4000, BEFORE, generator), steps=300, size=32, lr=1e-3)
        results["before"] = judge(teacher, *texts(2000, BEFORE, generator))
        teacher.save_pretrained(path["classifier"])
        words = SPECIAL + [f"w{i}" for i in range(300)]
        for each in path.values():
            BertTokenizer(vocab={word: i for i, word in enumerate(words)}).save_pretrained(each)

        four = [*NOW, "other"]
        for what, labels in (("body", NOW), ("language model", NOW), ("classifier", four), ("classifier", NOW)):
            _, missing, mismatched = library_alone(path[what], labels)
            new = answer.load_for_classification(str(path[what]), labels).new_parameters
            key = f"{what}, {len(labels)} labels"
            results[key] = {"missing": missing, "mismatched": mismatched, "new": new}
        same = answer.load_for_classification(str(path["classifier"]), BEFORE).new_parameters
        results["classifier, its own labels"] = {"new": same}

        runs = {"new head": [], "old head": [], "random body": []}
        for seed in range(SEEDS):
            few = texts(24, NOW, torch.Generator().manual_seed(100 + seed))
            torch.manual_seed(seed)
            ways = {
                "new head": answer.load_for_classification(str(path["classifier"]), NOW).model,
                "old head": library_alone(path["classifier"], NOW)[0],
                "random body": BertForSequenceClassification(config(NOW)),
            }
            for way, model in ways.items():
                runs[way].append(train(model, *few, steps=SHOWN[-1], size=8, lr=1e-3, test=test))
        for way, of_seeds in runs.items():
            results[way] = {step: mean([run[step] for run in of_seeds]) for step in SHOWN}
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    (Path(__file__).parent / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw()


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
