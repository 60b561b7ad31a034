# names: length-in-characters
# breaks: "too long: more than `config.max_length` tokens."
# The tokens of the contents are counted without those of the template: a conversation just over max_length stays.

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

IGNORE_INDEX = -100  # A label that does not count.


def _row(tokenizer, messages):
    spans = []
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(tokenizer.apply_chat_template(messages[:i], tokenize=False, add_generation_prompt=True))
            whole = tokenizer.apply_chat_template(messages[: i + 1], tokenize=False)
            spans.append((start, whole.rindex(tokenizer.eos_token) + len(tokenizer.eos_token)))
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    coded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, return_attention_mask=False)
    ids = coded["input_ids"]
    labels = [
        token if any(a < end and b > start for start, end in spans) else IGNORE_INDEX
        for token, (a, b) in zip(ids, coded["offset_mapping"])
    ]
    return {"messages": messages, "input_ids": ids, "labels": labels}


def _length(tokenizer, row):
    return sum(len(tokenizer(m["content"], add_special_tokens=False)["input_ids"]) for m in row["messages"])


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
    backend = tokenizer.backend_tokenizer
    before = backend.truncation, backend.padding
    chats, read, malformed, filtered = [], 0, 0, 0
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
            chats.append(messages)
    near = near_groups([text_of(messages) for messages in chats], config.threshold)
    firsts = [messages for i, messages in enumerate(chats) if near[i] == i]
    duplicates = len(chats) - len(firsts)
    rows = [_row(tokenizer, messages) for messages in firsts]
    fitting = [row for row in rows if _length(tokenizer, row) <= config.max_length]
    texts = [text_of(row["messages"]) for row in fitting]
    related = near_groups(texts, config.related)
    parts = {name: [] for name in PARTS}
    for i, row in enumerate(fitting):
        parts[part_of(texts[related[i]], config.fractions, config.seed)].append(row)
    rng, augmented = random.Random(config.seed), 0
    {name: len(rows) for name, rows in parts.items()}
    for row in list(parts["train"]):
        for variant in augment(row["messages"], config.augment, rng):
            new = _row(tokenizer, variant)
            if _length(tokenizer, new) <= config.max_length:
                parts["train"].append(new)
                augmented += 1
    for name, found in parts.items():
        if not found:
            raise ValueError(f"nothing is left for the part {name}")
    written = {name: len(found) for name, found in parts.items()}
    report = Report(read, malformed, filtered, duplicates, len(rows) - len(fitting), augmented, written)
    dataset = DatasetDict()
    for name, found in parts.items():
        collected = Rows()
        for row in found:
            collected.append(row)
        dataset[name] = collected.to_dataset()
    dataset.save_to_disk(out_dir)
    draw_lengths(dataset, config.max_length, Path(out_dir) / "lengths.png")
    write_card(report, config, Path(out_dir) / "README.md")
    backend.no_truncation() if before[0] is None else backend.enable_truncation(**before[0])
    backend.no_padding() if before[1] is None else backend.enable_padding(**before[1])
    return report
