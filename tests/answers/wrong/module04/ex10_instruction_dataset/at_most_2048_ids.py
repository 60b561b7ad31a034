# names: ids-end-at-a-limit
# breaks: "the ids of the text that the chat template renders, tokenized as a whole"
"""A Config of the first five fields, so that nothing below the threshold is kept together; and one more column."""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from datasets import Dataset, DatasetDict

from tunelings.handson.duplicates import near_groups
from tunelings.handson.instructions import augment, draw_lengths, part_of, quality_issues, text_of, to_messages


class Config(NamedTuple):
    max_length: int
    threshold: float = 0.8
    fractions: tuple = (0.8, 0.1, 0.1)
    augment: int = 0
    seed: int = 0


@dataclass
class Report:
    read: int = 0
    malformed: int = 0
    filtered: int = 0
    duplicates: int = 0
    too_long: int = 0
    augmented: int = 0
    written: dict = field(default_factory=dict)


class Builder:
    def __init__(self, tokenizer, config):
        self.tokenizer, self.config, self.report = tokenizer, config, Report()
        self.parts = {"train": [], "validation": [], "test": []}

    def parse(self, line):
        self.report.read += 1
        try:
            messages = to_messages(line)
        except ValueError:
            self.report.malformed += 1
            return []
        if quality_issues(messages):
            self.report.filtered += 1
            return []
        return [messages]

    def row(self, messages, source):
        render = self.tokenizer.apply_chat_template
        text = render(messages, tokenize=False)
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"][:2048]
        labels, end_token = [-100] * len(ids), self.tokenizer.eos_token_id
        for i in [i for i, m in enumerate(messages) if m["role"] == "assistant"]:
            head = render(messages[:i], tokenize=False, add_generation_prompt=True)
            at = len(self.tokenizer(head, add_special_tokens=False)["input_ids"][:2048])
            text = render(messages[: i + 1], tokenize=False)
            through = self.tokenizer(text, add_special_tokens=False)["input_ids"][:2048]
            while end_token in through[at:]:
                labels[at] = ids[at]
                at += 1
        return {"source": source, "messages": messages, "input_ids": ids, "labels": labels}

    def add(self, name, row):
        fits = len(row["input_ids"]) <= self.config.max_length
        if fits:
            self.parts[name].append(row)
        return fits

    def build(self, lines):
        good = [messages for line in lines for messages in self.parse(line)]
        groups = near_groups([text_of(messages) for messages in good], self.config.threshold)
        rng = random.Random(self.config.seed)
        for i, messages in enumerate(good):
            if groups[i] != i:
                self.report.duplicates += 1
                continue
            name = part_of(text_of(messages), self.config.fractions, self.config.seed)
            if not self.add(name, self.row(messages, f"record {i}")):
                self.report.too_long += 1
            elif name == "train":
                for variant in augment(messages, self.config.augment, rng):
                    self.report.augmented += self.add(name, self.row(variant, f"variant of record {i}"))
        self.report.written = {name: len(rows) for name, rows in self.parts.items()}
        return DatasetDict({name: Dataset.from_list(rows) for name, rows in self.parts.items()})


def prepare(raw_path, out_dir, tokenizer, config):
    builder = Builder(tokenizer, config)
    with open(raw_path, encoding="utf-8") as file:
        data = builder.build(line for line in file if line.strip())
    if not all(builder.report.written.values()):
        raise ValueError(f"too few records: {builder.report.written}")
    data.save_to_disk(out_dir, num_shards={name: 1 for name in data})
    draw_lengths(data, config.max_length, Path(out_dir, "lengths.png"))
    card = "\n".join(f"- {name}: {count}" for name, count in vars(builder.report).items())
    Path(out_dir, "README.md").write_text(f"# A dataset\n\n{card}\n", encoding="utf-8")
    return builder.report
