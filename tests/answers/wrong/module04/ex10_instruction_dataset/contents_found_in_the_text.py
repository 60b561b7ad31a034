# names: answers-searched-for
# breaks: "the same ids at an assistant's contents, whatever they quote"
# An answer is looked for from the beginning of the text.
import random
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


def encode(messages, tokenizer):
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    spans = []
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = text.find(message["content"])
            spans.append((start, start + len(message["content"]) + len(tokenizer.eos_token)))
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    labels = [
        token if any((a < end and start < b for start, end in spans)) else IGNORE_INDEX
        for token, (a, b) in zip(encoded["input_ids"], encoded["offset_mapping"])
    ]
    return {"messages": messages, "input_ids": encoded["input_ids"], "labels": labels}


IGNORE_INDEX = -100


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


def prepare(raw_path: str | Path, out_dir: str | Path, tokenizer: PreTrainedTokenizerBase, config: Config) -> Report:
    random_state = random.Random(config.seed)
    read = malformed = filtered = 0
    conversations = []
    for line in read_lines(raw_path):
        read += 1
        try:
            messages = to_messages(line)
        except ValueError:
            malformed += 1
            continue
        if quality_issues(messages):
            filtered += 1
            continue
        conversations.append(messages)
    first = near_groups([text_of(m) for m in conversations], config.threshold)
    kept = [m for i, m in enumerate(conversations) if first[i] == i]
    duplicates = len(conversations) - len(kept)
    rows = [encode(m, tokenizer) for m in kept]
    short = [row for row in rows if len(row["input_ids"]) <= config.max_length]
    too_long = len(rows) - len(short)
    texts = [text_of(row["messages"]) for row in short]
    parts = {name: Rows() for name in PARTS}
    written = dict.fromkeys(PARTS, 0)
    augmented = 0
    for row, group in zip(short, near_groups(texts, config.related)):
        part = part_of(texts[group], config.fractions, config.seed)
        variants = []
        if part == "train":
            variants = [encode(v, tokenizer) for v in augment(row["messages"], config.augment, random_state)]
            variants = [v for v in variants if len(v["input_ids"]) <= config.max_length]
            augmented += len(variants)
        for each in [row, *variants]:
            parts[part].append(each)
            written[part] += 1
    for name in PARTS:
        if not written[name]:
            raise ValueError(f"nothing is left for {name}")
    dataset = DatasetDict({name: part.to_dataset() for name, part in parts.items()})
    dataset.save_to_disk(str(out_dir))
    draw_lengths(dataset, config.max_length, Path(out_dir) / "lengths.png")
    report = Report(read, malformed, filtered, duplicates, too_long, augmented, written)
    write_card(report, config, Path(out_dir) / "README.md")
    return report
