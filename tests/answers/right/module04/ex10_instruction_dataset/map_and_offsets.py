"""Dataset.map and Dataset.filter do the work; labels come from places in the rendered text; parts are cut by rank."""

import random
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

from datasets import Dataset, DatasetDict

from tunelings.handson import duplicates, instructions


class Config(NamedTuple):
    max_length: int
    threshold: float = 0.8
    fractions: tuple = (0.8, 0.1, 0.1)
    augment: int = 0
    seed: int = 0
    related: float = 0.6


class Report(NamedTuple):
    read: int
    malformed: int
    filtered: int
    duplicates: int
    too_long: int
    augmented: int
    written: dict[str, int]


def encode(row, tokenizer):
    messages, spans = row["messages"], []
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(tokenizer.apply_chat_template(messages[:i], tokenize=False, add_generation_prompt=True))
            spans.append((start, start + len(message["content"]) + len(tokenizer.eos_token)))
    found = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    labels = [
        token if any(first <= a and b <= last for first, last in spans) else -100
        for token, (a, b) in zip(found["input_ids"], found["offset_mapping"], strict=True)
    ]
    return {"input_ids": found["input_ids"], "labels": labels}


def tokenized(conversations, tokenizer):
    rows = Dataset.from_list([{"messages": messages} for messages in conversations])
    return rows.map(encode, fn_kwargs={"tokenizer": tokenizer}, load_from_cache_file=False)


def prepare(raw_path, out_dir, tokenizer, config):
    counts, good = Counter(), []
    for line in instructions.read_lines(raw_path):
        counts["read"] += 1
        try:
            messages = instructions.to_messages(line)
        except ValueError:
            counts["malformed"] += 1
        else:
            issues = instructions.quality_issues(messages)
            counts["filtered"] += bool(issues)
            good += [] if issues else [messages]
    if not good:
        raise ValueError("no conversation for train, validation and test")
    groups = duplicates.near_groups([instructions.text_of(m) for m in good], config.threshold)
    first_of = {group: good[group] for group in groups}
    everything = tokenized(list(first_of.values()), tokenizer)
    fitting = everything.filter(lambda row: len(row["input_ids"]) <= config.max_length, load_from_cache_file=False)
    texts = [instructions.text_of(m) for m in fitting["messages"]]
    related = duplicates.near_groups(texts, config.related)

    order = sorted(set(related), key=lambda i: texts[i])
    random.Random(config.seed).shuffle(order)
    first, second = (round(sum(config.fractions[:k]) * len(order)) for k in (1, 2))
    names = {
        unit: name
        for name, units in zip(instructions.PARTS, (order[:first], order[first:second], order[second:]), strict=True)
        for unit in units
    }
    parts = {
        name: fitting.select([i for i, unit in enumerate(related) if names[unit] == name])
        for name in instructions.PARTS
    }
    if empty := [name for name, part in parts.items() if len(part) == 0]:
        raise ValueError(f"{empty} would be empty")
    generator = random.Random(config.seed + 1)
    variants = [v for m in parts["train"]["messages"] for v in instructions.augment(m, config.augment, generator)]
    rows = [{"messages": v, **encode({"messages": v}, tokenizer)} for v in variants]
    rows = [row for row in rows if len(row["input_ids"]) <= config.max_length]
    if rows:
        parts["train"] = Dataset.from_list(parts["train"].to_list() + rows)
    parts = {name: Dataset.from_list(part.to_list()) for name, part in parts.items()}
    data = DatasetDict(parts)
    data.save_to_disk(out_dir)
    instructions.draw_lengths(data, config.max_length, Path(out_dir) / "lengths.png")
    report = Report(
        counts["read"],
        counts["malformed"],
        counts["filtered"],
        len(good) - len(first_of),
        len(everything) - len(fitting),
        len(rows),
        {name: part.num_rows for name, part in data.items()},
    )
    instructions.write_card(report, config, Path(out_dir) / "README.md")
    return SimpleNamespace(**report._asdict())
