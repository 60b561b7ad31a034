# names: out-dir-removed
# breaks: "It is not changed."
# out_dir is removed before it is written, with the raw records that may lie in it.

"""4.10 · Instruction dataset: turn raw records, with all their faults, into data that a trainer can use.

`python exercises/module04/ex10_instruction_dataset.py` does it for 361 raw records about Python. All their faults are
known, so it reports how many of each kind are left. `--raw`, `--out` and `--model` choose other records, folders and
tokenizers.
"""

import copy
import random
import shutil
from pathlib import Path
from typing import NamedTuple

from datasets import DatasetDict
from transformers import PreTrainedTokenizerBase

from tunelings.handson.duplicates import near_groups
from tunelings.handson.instructions import (
    PARTS,
    Rows,
    augment,
    draw_lengths,
    part_of,
    quality_issues,
    read_lines,
    text_of,
    to_messages,
    write_card,
)

IGNORE_INDEX = -100  # A label that does not count.


class Config(NamedTuple):
    """The settings. `threshold` and `related` are Jaccard similarities of texts; see `prepare`."""

    max_length: int
    threshold: float = 0.8
    fractions: tuple = (0.8, 0.1, 0.1)
    augment: int = 0
    seed: int = 0
    related: float = 0.6


class Report(NamedTuple):
    """How many records were read, dropped at each step, added, and written to each part."""

    read: int
    malformed: int
    filtered: int
    duplicates: int
    too_long: int
    augmented: int
    written: dict[str, int]


def _spans(messages, tokenizer):
    """Where the assistant's contents and end tokens are in the text, and the text."""
    render = tokenizer.apply_chat_template
    whole, spans = render(messages, tokenize=False), []
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(render(messages[:i], tokenize=False, add_generation_prompt=True))
            end = render(messages[: i + 1], tokenize=False).rindex(tokenizer.eos_token) + len(tokenizer.eos_token)
            spans.append((start, end))
    return whole, spans


def _row(messages, tokenizer):
    text, spans = _spans(messages, tokenizer)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids = encoded["input_ids"]
    inside = [any(start <= a and b <= end for start, end in spans) for a, b in encoded["offset_mapping"]]
    labels = [i if yes else IGNORE_INDEX for i, yes in zip(ids, inside)]
    return {"messages": messages, "input_ids": ids, "labels": labels}


def _read(raw_path):
    """The good conversations, and how many records were read, malformed and filtered."""
    good, read, malformed, filtered = [], 0, 0, 0
    for line in read_lines(raw_path):
        read += 1
        try:
            messages = to_messages(line)
        except ValueError:
            malformed += 1
            continue
        if quality_issues(messages):
            filtered += 1
        else:
            good.append(messages)
    return good, read, malformed, filtered


def _unlike(good, threshold):
    roots = near_groups([text_of(messages) for messages in good], threshold) if good else []
    return [messages for i, messages in enumerate(good) if roots[i] == i]


def prepare(raw_path: str | Path, out_dir: str | Path, tokenizer: PreTrainedTokenizerBase, config: Config) -> Report:
    tokenizer = copy.deepcopy(tokenizer)
    good, read, malformed, filtered = _read(raw_path)
    unique = _unlike(good, config.threshold)
    rows = [_row(messages, tokenizer) for messages in unique]
    short = [row for row in rows if len(row["input_ids"]) <= config.max_length]
    texts = [text_of(row["messages"]) for row in short]
    roots = near_groups(texts, config.related) if texts else []
    parts = {name: Rows() for name in PARTS}
    written = dict.fromkeys(PARTS, 0)
    augmented = 0
    rng = random.Random(config.seed)
    for row, root in zip(short, roots):
        name = part_of(texts[root], config.fractions, config.seed)
        parts[name].append(row)
        written[name] += 1
        if name == "train":
            for variant in augment(row["messages"], config.augment, rng):
                new = _row(variant, tokenizer)
                if len(new["input_ids"]) <= config.max_length:
                    parts[name].append(new)
                    written[name] += 1
                    augmented += 1
    for name, count in written.items():
        if count == 0:
            raise ValueError(f"nothing is left for {name}")
    dataset = DatasetDict({name: rows.to_dataset() for name, rows in parts.items()})
    out = Path(out_dir)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    dataset.save_to_disk(out)
    draw_lengths(dataset, config.max_length, out / "lengths.png")
    report = Report(read, malformed, filtered, len(good) - len(unique), len(rows) - len(short), augmented, written)
    write_card(report, config, out / "README.md")
    return report
