"""Measures what 60 updates of LoRA make of a chat model of 135 M parameters: before and after, over three seeds.

The reference solution of 3.12 trains SmolLM2-135M-Instruct on 240 film reviews, other ones for each seed, to answer
with one line of JSON. Exact match on 100 held-out reviews; forgetting as the loss on passages of the Python
documentation. It needs the model (`tunelings models get smollm2`) and takes about half an hour on a CPU.
Run: python figures/module03_lora_fine_tune_llm.py
"""

import json
import os
import tempfile
from pathlib import Path

from drawing import ROOT, drawing_path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from matplotlib import rcParams
from matplotlib.figure import Figure

from tunelings.course import Course, data_folder
from tunelings.grading import answers
from tunelings.handson import reviews
from tunelings.handson import reviews_task as task

NAME = Path(__file__).stem
SEEDS = (0, 1, 2)
STEPS, BATCH_SIZE, LR, RANK, ALPHA = 60, 4, 5e-4, 8, 16
TEST = 100


def measured(answer, model, tokenizer, prompts, pairs):
    match = task.grade(task.answer_all(answer.generate, model, tokenizer, prompts), pairs)
    low, high = reviews.score(["right"] * match.exact + ["wrong"] * (TEST - match.exact), ["right"] * TEST)[1:]
    return {"exact": match.exact, "in_format": match.in_format, "interval": [round(low, 3), round(high, 3)]}


def run(answer, seed, train_pairs, test_pairs, general):
    base, tokenizer = task.load_model("smollm2")
    prompts = [prompt for prompt, _ in test_pairs]
    before = {}
    if seed == SEEDS[0]:
        before = {
            "with an instruction": measured(
                answer, base, tokenizer, [task.INSTRUCTION + p for p in prompts], test_pairs
            ),
            "the review alone": measured(answer, base, tokenizer, prompts, test_pairs),
            "loss on other text": round(task.language_loss(base, tokenizer, general), 3),
        }
        print(before, flush=True)
    count = STEPS * BATCH_SIZE
    dataset = answer.build_dataset(train_pairs[seed * count : (seed + 1) * count], tokenizer, 128)

    def on_step(step, loss):
        if step % 10 == 9:
            print(f"seed {seed}, step {step + 1}, loss {loss:.4f}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        config = answer.Config(RANK, ALPHA, LR, STEPS, BATCH_SIZE, Path(folder), seed)
        trained = answer.train_lora(base, tokenizer, dataset, config, on_step=on_step)
        cost = task.cost_of(trained.model, folder)
    after = {
        "after": measured(answer, trained.model, tokenizer, prompts, test_pairs),
        "loss on other text": round(task.language_loss(trained.model, tokenizer, general), 3),
    }
    with trained.model.disable_adapter():
        after["loss on other text, adapter off"] = round(task.language_loss(trained.model, tokenizer, general), 3)
    print(seed, after, cost, flush=True)
    return before, {**after, "loss": [round(value, 4) for value in trained.history.loss]}, cost


def draw(results, path):
    rcParams["svg.hashsalt"] = NAME
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    curves, bars = figure.subplots(1, 2, width_ratios=[1.3, 1])
    for seed, run in results["seeds"].items():
        means = [sum(run["loss"][i : i + 5]) / 5 for i in range(0, STEPS, 5)]
        curves.plot(range(5, STEPS + 1, 5), means, marker=".", label=f"seed {seed}")
    curves.set_yscale("log")
    curves.set_xlabel("update")
    curves.set_title("loss of the answers, means of 5 updates")
    curves.legend()
    rows = {name: results["before"][name] for name in ("the review alone", "with an instruction")}
    rows |= {f"after, seed {seed}": run["after"] for seed, run in results["seeds"].items()}
    shares = [row["exact"] / TEST for row in rows.values()]
    errors = [
        [s - r["interval"][0] for s, r in zip(shares, rows.values(), strict=True)],
        [r["interval"][1] - s for s, r in zip(shares, rows.values(), strict=True)],
    ]
    bars.barh(list(rows), shares, xerr=errors, color=["tab:gray"] * 2 + ["tab:blue"] * len(results["seeds"]))
    bars.invert_yaxis()
    bars.set_xlim(0, 1)
    bars.set_title("exact match, 95 % intervals")
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    torch.set_num_threads(1)
    answer = answers.load(answers.read(Course(ROOT).find("3.12").solution_path))
    train_pairs, test_pairs = task.load_pairs(data_folder("sentiment"))
    general = task.load_general_texts(folder=data_folder("pydocs"))
    results = {"seeds": {}}
    for seed in SEEDS:
        before, after, cost = run(answer, seed, train_pairs, test_pairs[:TEST], general)
        results.setdefault("before", before)
        results["seeds"][str(seed)] = after
    results["cost"] = {
        "adapter file, MB": round(cost.file / task.MB, 2),
        "base parameters": cost.base,
        "peak memory of the process, GB": round(cost.peak / task.GB, 1),
        "trainable": cost.trainable,
        "trainable, percent": round(100 * cost.trainable / cost.base, 2),
    }
    out = Path(__file__).parent / "results" / f"{NAME}.json"
    out.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    draw(results, drawing_path(NAME))
    print(json.dumps({k: v for k, v in results.items() if k != "seeds"}, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
