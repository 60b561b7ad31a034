"""Nothing of the given steps but the four that settle what a record is: brute force, hashlib, Dataset.from_list."""

import hashlib
import json
import random
import unicodedata
from pathlib import Path
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from datasets import Dataset, DatasetDict

from tunelings.handson.instructions import augment, quality_issues, to_messages


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


def runs_of_three(messages):
    text = " ".join(m["content"] for m in messages if m["role"] != "system")
    words = unicodedata.normalize("NFKC", text).casefold().split()
    return {tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2))}


def components(sets, threshold):
    """Groups of indices, connected by pairs that are near; every pair is looked at."""
    number = list(range(len(sets)))
    for j in range(len(sets)):
        for i in range(j):
            shared = len(sets[i] & sets[j])
            if number[i] != number[j] and shared >= threshold * (len(sets[i]) + len(sets[j]) - shared):
                old, new = max(number[i], number[j]), min(number[i], number[j])
                number = [new if n == old else n for n in number]
    return number


def example(messages, tokenizer):
    answered = []  # The stretches of the text that are learned.
    for end in range(1, len(messages) + 1):
        if messages[end - 1]["role"] == "system":
            continue
        text = tokenizer.apply_chat_template(messages[:end], tokenize=False)
        if messages[end - 1]["role"] == "assistant":
            head = tokenizer.apply_chat_template(messages[: end - 1], tokenize=False, add_generation_prompt=True)
            answered.append((len(head), text.rindex(tokenizer.eos_token, len(head)) + len(tokenizer.eos_token)))
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    labels = [
        token if any(start <= left and right <= stop for start, stop in answered) else -100
        for token, (left, right) in zip(encoded.input_ids, encoded.offset_mapping, strict=True)
    ]
    return {"messages": messages, "input_ids": encoded.input_ids, "labels": labels}


def prepare(raw_path, out_dir, tokenizer, config):
    lines = [line for line in Path(raw_path).read_text(encoding="utf-8").split("\n") if line.strip()]
    conversations, malformed, filtered = [], 0, 0
    for line in lines:
        try:
            messages = to_messages(line)
            json.loads(line)
        except ValueError:
            malformed += 1
            continue
        if quality_issues(messages):
            filtered += 1
            continue
        conversations.append(messages)
    sets = [runs_of_three(messages) for messages in conversations]
    numbers = components(sets, config.threshold)
    firsts = [i for i, number in enumerate(numbers) if number not in numbers[:i]]
    kept = [conversations[i] for i in firsts]
    units = components([sets[i] for i in firsts], config.related)

    rows = {"train": [], "validation": [], "test": []}
    too_long = augmented = 0
    generator = random.Random(str(config.seed))
    for messages, unit in zip(kept, units, strict=True):
        digest = hashlib.md5(f"{config.seed} {kept[unit]}".encode()).hexdigest()
        place = int(digest, 16) / 16**32
        name = "train" if place < config.fractions[0] else "test" if place >= 1 - config.fractions[2] else "validation"
        row = example(messages, tokenizer)
        if len(row["input_ids"]) > config.max_length:
            too_long += 1
            continue
        rows[name].append(row)
        if name != "train":
            continue
        for variant in augment(messages, config.augment, generator):
            row = example(variant, tokenizer)
            if len(row["input_ids"]) <= config.max_length:
                rows["train"].append(row)
                augmented += 1
    if not all(rows.values()):
        raise ValueError(f"nothing is left for a part: {[name for name in rows if not rows[name]]}")
    DatasetDict({name: Dataset.from_list(part) for name, part in rows.items()}).save_to_disk(str(out_dir))
    written = {name: len(part) for name, part in rows.items()}
    figure, axes = plt.subplots()
    axes.hist([len(row["input_ids"]) for part in rows.values() for row in part])
    figure.savefig(Path(out_dir) / "lengths.png")
    plt.close(figure)
    (Path(out_dir) / "README.md").write_text(f"# Data\n\n{json.dumps(written)}\n", encoding="utf-8")
    report = Report(len(lines), malformed, filtered, len(conversations) - len(kept), too_long, augmented, written)
    return report
