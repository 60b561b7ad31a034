"""Measures what each step of 4.10 takes away of raw records whose every fault is known, and what another order costs.

The reference solution prepares data/instructions/raw.jsonl with SmolLM2's tokenizer (`tunelings models get smollm2`);
then mistakes of the card are made in it, and ten seeds of the split show how many texts leak. 30 seconds on a CPU.
Run: python figures/module04_instruction_dataset.py
"""

import json
import os
import tempfile
from collections import Counter
from pathlib import Path

from drawing import ROOT, plots, save

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import pyarrow.compute as pc
from datasets import disable_progress_bars, load_from_disk
from transformers import AutoTokenizer

from tunelings.course import Course, data_folder
from tunelings.grading import answers, vectors
from tunelings.grading.answers import Source
from tunelings.handson import duplicates, instructions, models

NAME = Path(__file__).stem
RAW = data_folder("instructions") / "raw.jsonl"
MAX_LENGTH, SEEDS = 2048, range(10)
EDGES = range(0, 1101, 50)  # of the bars, in tokens
STEPS = ["malformed", "filtered", "duplicate", "too long", "kept"]
ORDERS = ["duplicates-looked-for-after-the-split", "filtered-after-the-duplicates", "split-row-by-row"]


def lines_by_step(tokenizer) -> dict[str, dict[str, int]]:
    """For each kind of line how many of them each step drops; of a line and its duplicate either one may be dropped."""
    lines = json.loads(RAW.with_name("manifest.json").read_text(encoding="utf-8"))["lines"]
    step, good = {}, {}
    for number, line in enumerate(instructions.read_lines(RAW)):
        try:
            messages = instructions.to_messages(line)
        except ValueError:
            step[number] = "malformed"
            continue
        if instructions.quality_issues(messages):
            step[number] = "filtered"
        else:
            good[number] = messages
    groups = duplicates.near_groups([instructions.text_of(messages) for messages in good.values()], 0.8)
    for index, (number, messages) in enumerate(good.items()):
        tokens = tokenizer(tokenizer.apply_chat_template(messages, tokenize=False), add_special_tokens=False)
        fate = "too long" if len(tokens["input_ids"]) > MAX_LENGTH else "kept"
        is_pair = groups.count(groups[index]) > 1 and (lines[number]["fault"] or "").endswith("_duplicate")
        step[number] = fate if groups[index] == index and not is_pair else "duplicate"
    counts = Counter((entry["fault"] or "clean", step[number]) for number, entry in enumerate(lines))
    kinds = sorted({kind for kind, _ in counts}, key=lambda kind: (kind == "clean", kind))
    return {kind: {name: counts[kind, name] for name in STEPS if counts[kind, name]} for kind in kinds}


def run(answer, tokenizer, seed: int = 0, augment: int = 0):
    with tempfile.TemporaryDirectory() as folder:
        config = answer.Config(max_length=MAX_LENGTH, seed=seed, augment=augment)
        report = answer.prepare(RAW, folder, tokenizer, config)
        dataset = load_from_disk(folder, keep_in_memory=True)
    return report, dataset


def errors(answer, tokenizer) -> dict[str, float]:
    """What goes wrong, as means over the seeds of the split."""
    sums = Counter()
    for seed in SEEDS:
        _, dataset = run(answer, tokenizer, seed)
        found = instructions.against_manifest(RAW, dataset)
        sums["near texts in two parts"] += instructions.leaks(dataset, 0.8)["near"]
        sums["paraphrases parted"] += found["paraphrase"][1]
        sums["good texts lost"] += found["clean"][1]
        sums["bad answers kept"] += found["truncated"][1] + found["refusal"][1]
    return {name: total / len(SEEDS) for name, total in sums.items()}


def rows_by_length(dataset) -> dict[str, list[int]]:
    """For each part how many rows have 0 to 49 tokens, 50 to 99, and so on."""
    lengths = {name: pc.list_value_length(part.data["input_ids"]).to_numpy() for name, part in dataset.items()}
    return {name: np.histogram(numbers, bins=EDGES)[0].tolist() for name, numbers in lengths.items()}


def draw(results) -> None:
    by_step, lengths = results["lines_by_step"], results["tokens"]["rows_by_length"]
    figure, (upper, lower) = plots(7.6, rows=2, height_ratios=[3, 2])
    kinds = [kind for kind in by_step if kind != "clean"]
    ends = [0] * len(kinds)
    for name, color in zip(STEPS, ("tab:gray", "tab:red", "tab:blue", "tab:purple", "tab:green"), strict=True):
        widths = [by_step[kind].get(name, 0) for kind in kinds]
        upper.barh([kind.replace("_", " ") for kind in kinds], widths, left=ends, color=color, label=name)
        ends = [end + width for end, width in zip(ends, widths, strict=True)]
    upper.set(xlabel="lines", xlim=(0, 33), title="which step takes what away")
    upper.invert_yaxis()
    upper.legend()
    parts = [name for name in ("train", "validation", "test") if name in lengths]
    labels = [f"{name} ({sum(lengths[name])})" for name in parts]
    weights = [lengths[name] for name in parts]
    lower.hist([EDGES[:-1]] * len(parts), bins=EDGES, weights=weights, stacked=True, label=labels)
    lower.set(xlabel="tokens", ylabel="examples", title="what is left, without variants")
    lower.legend()
    save(figure, NAME)


def main() -> None:
    disable_progress_bars()
    exercise = Course(ROOT).find("4.10")
    solution = answers.read(exercise.solution_path)
    answer = answers.load(solution)
    tokenizer = AutoTokenizer.from_pretrained(models.find("smollm2"))
    by_step = lines_by_step(tokenizer)
    report, dataset = run(answer, tokenizer)
    lengths = sorted(n for part in dataset.values() for n in pc.list_value_length(part.data["input_ids"]).to_pylist())
    labeled = sum(label != -100 for part in dataset.values() for row in part["labels"] for label in row)
    with_variants, _ = run(answer, tokenizer, augment=1)
    compared = {"as it should be": errors(answer, tokenizer)}
    known = {mistake.id: mistake for mistake in exercise.card.mistakes}
    for name in ORDERS:
        text = vectors.apply(known[name], 0, solution.text)
        compared[name] = errors(answers.load(Source(Path(f"{name}.py"), text)), tokenizer)
    results = {
        "lines_by_step": by_step,
        "report": report._asdict(),
        "augmented, one variant each": with_variants.augmented,
        "tokens": {
            "median": lengths[len(lengths) // 2],
            "longest": lengths[-1],
            "all": sum(lengths),
            "labeled": labeled,
            "rows_by_length": rows_by_length(dataset),
        },
        "mean errors of ten seeds": compared,
    }
    text = json.dumps(results, indent=1, sort_keys=True)
    (Path(__file__).parent / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw(results)
    print(text)


if __name__ == "__main__":
    main()
