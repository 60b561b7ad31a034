# names: groups-of-another-list
# breaks: "Texts joined as in 3, but by `config.related`, go to the same part."
# The related groups are numbered before the duplicates are dropped: one copy, and the numbers fit no more.

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
    track,
    write_card,
)

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


def tokenize(messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase) -> dict[str, list]:

    def encode(turns, **options):
        text = tokenizer.apply_chat_template(turns, tokenize=False, **options)
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    ids = encode(messages)
    labels = [IGNORE_INDEX] * len(ids)
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(encode(messages[:i], add_generation_prompt=True))
            turn = encode(messages[: i + 1])
            end = len(turn) - turn[::-1].index(tokenizer.eos_token_id)
            labels[start:end] = ids[start:end]
    return {"messages": messages, "input_ids": ids, "labels": labels}


def prepare(raw_path: str | Path, out_dir: str | Path, tokenizer: PreTrainedTokenizerBase, config: Config) -> Report:
    read = malformed = filtered = too_long = augmented = 0
    good = []
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
    groups = near_groups([text_of(messages) for messages in good], config.threshold)
    unique = [messages for index, messages in enumerate(good) if groups[index] == index]
    texts = [text_of(messages) for messages in good]
    related = near_groups(texts, config.related)
    rng = random.Random(config.seed)
    parts = {name: Rows() for name in PARTS}
    for index, messages in enumerate(track(unique, "tokenizing")):
        row = tokenize(messages, tokenizer)
        if len(row["input_ids"]) > config.max_length:
            too_long += 1
            continue
        name = part_of(texts[related[index]], config.fractions, config.seed)
        parts[name].append(row)
        if name == "train":
            variants = [tokenize(variant, tokenizer) for variant in augment(messages, config.augment, rng)]
            for row in variants:
                if len(row["input_ids"]) <= config.max_length:
                    parts["train"].append(row)
                    augmented += 1
    dataset = DatasetDict({name: rows.to_dataset() for name, rows in parts.items()})
    written = {name: len(part) for name, part in dataset.items()}
    if empty := [name for name, count in written.items() if count == 0]:
        raise ValueError(f"no conversation is left for {', '.join(empty)}")
    dataset.save_to_disk(out_dir)
    report = Report(read, malformed, filtered, len(good) - len(unique), too_long, augmented, written)
    draw_lengths(dataset, config.max_length, Path(out_dir, "lengths.png"))
    write_card(report, config, Path(out_dir, "README.md"))
    return report
