"""Measures which learning rate full fine-tuning and LoRA want, and what the rank changes.

A small Llama (2 layers of width 64, 66,240 parameters) learns to answer a prompt of three words with one of them and
the first. Then it has to answer with the last and the second, in 60 updates of 16 examples: by all weights, or by
LoRA, which is the reference solution of 3.12. The loss of the answers to 200 held-out prompts, mean of three seeds.
Run: python figures/module03_lora_learning_rate.py
"""

import copy
import json
import os
import random
import tempfile
import warnings
from pathlib import Path

from drawing import ROOT, plots, save

os.environ["HF_HUB_OFFLINE"] = "1"

import torch

from tunelings.course import Course
from tunelings.grading import answers
from tunelings.handson import tiny

NAME = Path(__file__).stem
STEPS, BATCH_SIZE, SEEDS = 60, 16, 3
RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
RANK = 8
KEYS = [f"{lr:.0e}" for lr in RATES]  # Without a dot, which parts the keys of a number in a lesson.
RANKS = (1, 2, 4, 8, 16, 32)
RANK_RATE = 3e-3


def pairs(count, told, draw):
    prompts = [draw.sample(tiny.WORDS, 3) for _ in range(count)]
    return [(" ".join(prompt), told(prompt)) for prompt in prompts]


def tensors(dataset):
    return torch.tensor(dataset["input_ids"]), torch.tensor(dataset["labels"])


def train_all(model, dataset, lr, steps, batch_size, seed):
    """AdamW on every weight, passes in new orders, as train_lora makes them."""
    ids, labels = tensors(dataset)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    order = torch.Generator().manual_seed(seed)
    model.train()
    done = 0
    while done < steps:
        for part in torch.randperm(len(ids), generator=order).split(batch_size)[: steps - done]:
            loss = model(input_ids=ids[part], labels=labels[part]).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            done += 1
    return model


@torch.no_grad()
def held_out_loss(model, dataset):
    ids, labels = tensors(dataset)
    return model.eval()(input_ids=ids, labels=labels).loss.item()


def means(runs):
    return {key: round(sum(run[key] for run in runs) / len(runs), 4) for key in runs[0]}


def one_seed(answer, seed):
    draw, tokenizer = random.Random(seed), tiny.chat_tokenizer()
    first = answer.build_dataset(pairs(640, lambda p: f"{draw.choice(p)} {p[0]}", draw), tokenizer, 32)
    base = train_all(tiny.llama(seed, hidden=64, layers=2), first, 3e-3, 300, 32, seed)
    new = answer.build_dataset(pairs(512, lambda p: f"{p[2]} {p[1]}", draw), tokenizer, 32)
    held_out = answer.build_dataset(pairs(200, lambda p: f"{p[2]} {p[1]}", draw), tokenizer, 32)

    def lora(lr, rank):
        with tempfile.TemporaryDirectory() as folder:
            config = answer.Config(rank, 2 * rank, lr, STEPS, BATCH_SIZE, Path(folder), seed)
            return held_out_loss(answer.train_lora(copy.deepcopy(base), tokenizer, new, config).model, held_out)

    return {
        "before": {"loss": held_out_loss(base, held_out)},
        "full": {
            key: held_out_loss(train_all(copy.deepcopy(base), new, lr, STEPS, BATCH_SIZE, seed), held_out)
            for key, lr in zip(KEYS, RATES, strict=True)
        },
        "lora": {key: lora(lr, RANK) for key, lr in zip(KEYS, RATES, strict=True)},
        "rank": {str(rank): lora(RANK_RATE, rank) for rank in RANKS},
    }


def draw(results):
    figure, (rates, ranks) = plots(5.8, rows=2, height_ratios=[1.4, 1])
    for name, marker, label in (("full", "s", "all weights"), ("lora", "o", f"LoRA, r = {RANK}")):
        rates.plot(list(RATES), [results[name][key] for key in KEYS], marker=marker, label=label)
    rates.axhline(results["before"]["loss"], color="gray", linestyle=":", label="before")
    rates.set_xscale("log")
    rates.set_xlabel("learning rate")
    rates.set_title(f"held-out loss after {STEPS} updates")
    rates.legend()
    ranks.plot(list(RANKS), [results["rank"][str(rank)] for rank in RANKS], marker="o", color="tab:orange")
    ranks.set_xscale("log", base=2)
    ranks.set_xticks(RANKS, labels=[str(rank) for rank in RANKS])
    ranks.set_title("the same, by rank")
    ranks.set_xlabel(f"rank (LoRA, learning rate {RANK_RATE:g})")
    for axes in (rates, ranks):
        axes.set_yscale("log")
    save(figure, NAME)


def main() -> None:
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=FutureWarning)
    answer = answers.load(answers.read(Course(ROOT).find("3.12").solution_path))
    runs = [one_seed(answer, seed) for seed in range(SEEDS)]
    results = {name: means([run[name] for run in runs]) for name in runs[0]}
    out = Path(__file__).parent / "results" / f"{NAME}.json"
    out.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    draw(results)
    print(json.dumps(results, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
