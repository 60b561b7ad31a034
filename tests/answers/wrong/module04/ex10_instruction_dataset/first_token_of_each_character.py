# names: one-token-for-each-character
# breaks: "the same ids at an assistant's contents"
# char_to_token gives only the first token of a character that has several.
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
    quality_issues,
    read_lines,
    text_of,
    to_messages,
    write_card,
)


def tokenize(tokenizer, messages):
    def render(turns, **more):
        return tokenizer.apply_chat_template(turns, tokenize=False, **more)

    text = render(messages)
    out = tokenizer(text, add_special_tokens=False)
    labels = [IGNORE_INDEX] * len(out.input_ids)
    for i, turn in enumerate(messages):
        if turn["role"] != "assistant":
            continue
        a = len(render(messages[:i], add_generation_prompt=True))
        b = a + len(turn["content"]) + len(tokenizer.eos_token)
        for c in range(a, b):
            t = out.char_to_token(c)
            if t is not None:
                labels[t] = out.input_ids[t]
    return {"messages": messages, "input_ids": list(out.input_ids), "labels": labels}


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
    lines = [line for line in read_lines(raw_path)]
    stage, rng = ([], random.Random(str(config.seed)))
    lost = dict(malformed=0, filtered=0)
    for line in lines:
        try:
            conversation = to_messages(line)
        except ValueError:
            lost["malformed"] += 1
        else:
            if quality_issues(conversation):
                lost["filtered"] += 1
            else:
                stage.append(conversation)
    roots = near_groups([text_of(c) for c in stage], config.threshold)
    unique = [stage[i] for i in sorted(set(roots))]
    fit = [(c, made) for c in unique if len((made := tokenize(tokenizer, c))["input_ids"]) <= config.max_length]
    families = near_groups([text_of(c) for c, _ in fit], config.related)
    members = {}
    for i, family in enumerate(families):
        members.setdefault(family, []).append(i)
    order = sorted(members)
    random.Random(config.seed).shuffle(order)
    order.sort(key=lambda family: -len(members[family]))
    goals = [fraction * len(fit) for fraction in config.fractions]
    chosen = {name: [] for name in PARTS}
    for family in order:
        k = max(range(3), key=lambda k: goals[k] - len(chosen[PARTS[k]]))
        chosen[PARTS[k]] += members[family]
    made, added = ({}, 0)
    for name, indices in chosen.items():
        part = [fit[i][1] for i in indices]
        if name == "train":
            for i in indices:
                for variant in augment(fit[i][0], config.augment, rng):
                    row = tokenize(tokenizer, variant)
                    if len(row["input_ids"]) <= config.max_length:
                        part.append(row)
                        added += 1
        if not part:
            raise ValueError(f"the part {name} is empty")
        rows = Rows()
        for row in part:
            rows.append(row)
        made[name] = rows.to_dataset()
    data = DatasetDict(made)
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    data.save_to_disk(out)
    report = Report(
        read=len(lines),
        duplicates=len(stage) - len(unique),
        too_long=len(unique) - len(fit),
        augmented=added,
        written={name: len(part) for name, part in data.items()},
        **lost,
    )
    draw_lengths(data, config.max_length, out / "lengths.png")
    write_card(report, config, out / "README.md")
    return report
