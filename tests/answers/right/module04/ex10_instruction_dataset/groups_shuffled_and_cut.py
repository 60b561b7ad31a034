"""Whole groups are shuffled and cut by their sizes; the backend of the tokenizer encodes, and is set back."""

import random
from pathlib import Path
from typing import NamedTuple

from datasets import Dataset, DatasetDict
from transformers import PreTrainedTokenizerBase

from tunelings.handson.duplicates import near_groups
from tunelings.handson.instructions import (
    FEATURES,
    PARTS,
    augment,
    draw_lengths,
    quality_issues,
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


def _tokens(tokenizer, messages):
    """Ids and labels of a conversation; the tokenizer's own padding and truncation come back afterwards."""
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    backend = tokenizer.backend_tokenizer
    truncation, padding = backend.truncation, backend.padding
    backend.no_truncation()
    backend.no_padding()
    encoding = backend.encode(text, add_special_tokens=False)
    if truncation is not None:
        backend.enable_truncation(**truncation)
    if padding is not None:
        backend.enable_padding(**padding)
    labels = [IGNORE_INDEX] * len(encoding.ids)
    for i, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        begin = len(tokenizer.apply_chat_template(messages[:i], tokenize=False, add_generation_prompt=True))
        stop = text.index(tokenizer.eos_token, begin + len(message["content"])) + len(tokenizer.eos_token)
        for place, (a, b) in enumerate(encoding.offsets):
            if begin <= a < b <= stop:
                labels[place] = encoding.ids[place]
    return encoding.ids, labels


def prepare(raw_path: str | Path, out_dir: str | Path, tokenizer: PreTrainedTokenizerBase, config: Config) -> Report:
    conversations, read, malformed, filtered = [], 0, 0, 0
    for line in Path(raw_path).read_bytes().decode("utf-8-sig", errors="replace").split("\n"):
        if not line.strip():
            continue
        read += 1
        try:
            conversation = to_messages(line)
        except ValueError:
            malformed += 1
        else:
            if quality_issues(conversation):
                filtered += 1
            else:
                conversations.append(conversation)
    first = near_groups([text_of(c) for c in conversations], config.threshold) if conversations else []
    unique = [c for place, c in enumerate(conversations) if first[place] == place]
    table = [(c, *_tokens(tokenizer, c)) for c in unique]
    fitting = [entry for entry in table if len(entry[1]) <= config.max_length]
    groups = {}
    if fitting:
        for entry, root in zip(fitting, near_groups([text_of(e[0]) for e in fitting], config.related)):
            groups.setdefault(root, []).append(entry)
    shuffled = list(groups.values())
    rng = random.Random(f"split {config.seed}")
    rng.shuffle(shuffled)
    lists, placed = {name: [] for name in PARTS}, 0
    for group in shuffled:
        share = (placed + len(group) / 2) / len(fitting)
        bounds = (config.fractions[0], config.fractions[0] + config.fractions[1])
        lists[PARTS[sum(share >= bound for bound in bounds)]] += group
        placed += len(group)
    variants = [v for entry in lists["train"] for v in augment(entry[0], config.augment, rng)]
    new = [e for e in ((v, *_tokens(tokenizer, v)) for v in variants) if len(e[1]) <= config.max_length]
    lists["train"] = lists["train"] + new
    empty = [name for name in PARTS if not lists[name]]
    if empty:
        raise ValueError(f"no conversation is left for {', '.join(empty)}")
    columns = ("messages", "input_ids", "labels")
    data = DatasetDict(
        {
            name: Dataset.from_dict({c: [e[k] for e in entries] for k, c in enumerate(columns)}, features=FEATURES)
            for name, entries in lists.items()
        }
    )
    Path(out_dir).mkdir(parents=True, exist_ok=True)
    data.save_to_disk(str(out_dir))
    written = {name: len(entries) for name, entries in lists.items()}
    result = Report(
        read, malformed, filtered, len(conversations) - len(unique), len(table) - len(fitting), len(new), written
    )
    draw_lengths(data, config.max_length, Path(out_dir, "lengths.png"))
    write_card(result, config, Path(out_dir, "README.md"))
    return result
