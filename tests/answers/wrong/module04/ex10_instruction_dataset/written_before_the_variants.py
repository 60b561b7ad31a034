# names: variants-not-in-written
# breaks: "is the sum of `written`, the rows of each part."
"""4.10 · Instruction dataset: raw records, with all that is wrong with them, become data that a trainer can take.

`python exercises/module04/ex10_instruction_dataset.py` does it for 361 raw records on Python, whose every fault is
known, and says what was found of each kind. `--raw`, `--out` and `--model` take other records, folders, tokenizers.
"""

import random
from pathlib import Path
from typing import NamedTuple

from datasets import DatasetDict

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
    """What is wanted. `threshold` and `related` are Jaccard similarities of texts, see `prepare`."""

    max_length: int
    threshold: float = 0.8
    fractions: tuple = (0.8, 0.1, 0.1)
    augment: int = 0
    seed: int = 0
    related: float = 0.6


class Report(NamedTuple):
    """How many records were read, were dropped at each step, were added, and were written to each part."""

    read: int
    malformed: int
    filtered: int
    duplicates: int
    too_long: int
    augmented: int
    written: dict[str, int]


def row_of(messages, tokenizer):
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    coded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids = coded["input_ids"]
    labels = [IGNORE_INDEX] * len(ids)
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            before = len(tokenizer.apply_chat_template(messages[:i], tokenize=False, add_generation_prompt=True))
            whole = tokenizer.apply_chat_template(messages[: i + 1], tokenize=False)
            after = whole.rindex(tokenizer.eos_token) + len(tokenizer.eos_token)
            for j, (a, b) in enumerate(coded["offset_mapping"]):
                if before <= a and b <= after:
                    labels[j] = ids[j]
    return {"messages": messages, "input_ids": ids, "labels": labels}


def prepare(raw_path, out_dir, tokenizer, config):
    lines = list(read_lines(raw_path))
    malformed = filtered = too_long = augmented = 0
    conversations = []
    for line in lines:
        try:
            messages = to_messages(line)
        except ValueError:
            malformed += 1
        else:
            if quality_issues(messages):
                filtered += 1
            else:
                conversations.append(messages)
    first = near_groups([text_of(m) for m in conversations], config.threshold)
    kept = [m for i, m in enumerate(conversations) if first[i] == i]
    duplicates = len(conversations) - len(kept)
    texts = [text_of(m) for m in kept]
    groups = near_groups(texts, config.related)
    rng = random.Random(config.seed)
    parts = {name: Rows() for name in PARTS}
    sizes = dict.fromkeys(PARTS, 0)
    for i, messages in enumerate(kept):
        row = row_of(messages, tokenizer)
        if len(row["input_ids"]) > config.max_length:
            too_long += 1
            continue
        name = part_of(texts[groups[i]], config.fractions, config.seed)
        parts[name].append(row)
        sizes[name] += 1
        if name == "train":
            for variant in augment(messages, config.augment, rng):
                new = row_of(variant, tokenizer)
                if len(new["input_ids"]) <= config.max_length:
                    parts[name].append(new)
                    augmented += 1
    written = {name: sizes[name] for name in PARTS}
    for name in PARTS:
        if not written[name]:
            raise ValueError(f"nothing is left for {name}")
    dataset = DatasetDict({name: rows.to_dataset() for name, rows in parts.items()})
    dataset.save_to_disk(str(out_dir))
    report = Report(len(lines), malformed, filtered, duplicates, too_long, augmented, written)
    draw_lengths(dataset, config.max_length, Path(out_dir) / "lengths.png")
    write_card(report, config, Path(out_dir) / "README.md")
    return report
