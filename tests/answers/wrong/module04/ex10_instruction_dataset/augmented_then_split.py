# names: variants-in-validation-and-test
# breaks: "augmented: train alone also gets the variants"
"""More data first, then the split of everything."""

import os
import random
from typing import NamedTuple

from datasets import Dataset, DatasetDict

from tunelings.handson.duplicates import near_groups
from tunelings.handson.instructions import (
    augment,
    draw_lengths,
    part_of,
    quality_issues,
    read_lines,
    text_of,
    to_messages,
    write_card,
)


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


def to_row(messages, tokenizer):
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    ids = tokenizer.encode(text, add_special_tokens=False)
    labels = [-100] * len(ids)
    for turn, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        prompt = tokenizer.apply_chat_template(messages[:turn], tokenize=False, add_generation_prompt=True)
        at = len(tokenizer.encode(prompt, add_special_tokens=False))
        through = tokenizer.encode(
            tokenizer.apply_chat_template(messages[: turn + 1], tokenize=False), add_special_tokens=False
        )
        stop = max(place for place, token in enumerate(through) if token == tokenizer.eos_token_id)
        labels[at : stop + 1] = ids[at : stop + 1]
    return dict(messages=messages, input_ids=ids, labels=labels)


def read_good(raw_path):
    read, malformed, filtered, good = 0, 0, 0, []
    for line in read_lines(raw_path):
        read += 1
        try:
            conversation = to_messages(line)
        except ValueError:
            malformed += 1
        else:
            if quality_issues(conversation):
                filtered += 1
            else:
                good.append(conversation)
    return read, malformed, filtered, good


def finish(rows, out_dir, config, counts):
    if min(len(part) for part in rows.values()) == 0:
        raise ValueError("train, validation or test would be empty")
    data = DatasetDict()
    for name in rows:
        data[name] = Dataset.from_list(rows[name])
    data.save_to_disk(out_dir)
    report = Report(*counts, {name: len(part) for name, part in rows.items()})
    draw_lengths(data, config.max_length, os.path.join(out_dir, "lengths.png"))
    write_card(report, config, os.path.join(out_dir, "README.md"))
    return report


def prepare(raw_path, out_dir, tokenizer, config):
    read, malformed, filtered, good = read_good(raw_path)
    group = near_groups([text_of(c) for c in good], config.threshold)
    unique = [c for n, c in enumerate(good) if group[n] == n]
    rng = random.Random(config.seed)
    pool = [(c, False) for c in unique]
    pool += [(v, True) for c in unique for v in augment(c, config.augment, rng)]
    family = near_groups([text_of(c) for c, _ in pool], config.related)
    rows = {"train": [], "validation": [], "test": []}
    too_long = augmented = 0
    for n, (c, is_variant) in enumerate(pool):
        row = to_row(c, tokenizer)
        if len(row["input_ids"]) <= config.max_length:
            rows[part_of(text_of(pool[family[n]][0]), config.fractions, config.seed)].append(row)
            augmented += is_variant
        elif not is_variant:
            too_long += 1
    return finish(rows, out_dir, config, (read, malformed, filtered, len(good) - len(unique), too_long, augmented))
