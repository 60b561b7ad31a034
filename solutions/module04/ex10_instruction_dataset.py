"""4.10 · Instruction dataset: turn raw records, with all their faults, into data that a trainer can use.

`python exercises/module04/ex10_instruction_dataset.py` does it for 361 records whose faults are known; see `--help`.
"""

import argparse
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

IGNORE_INDEX = -100  # A label that does not count.


class Config(NamedTuple):
    """The settings; see `prepare`."""

    max_length: int
    threshold: float = 0.8
    fractions: tuple = (0.8, 0.1, 0.1)
    augment: int = 0
    seed: int = 0
    related: float = 0.6


class Report(NamedTuple):
    """How many records were read, dropped at each step, added, and written."""

    read: int
    malformed: int
    filtered: int
    duplicates: int
    too_long: int
    augmented: int
    written: dict[str, int]


# BEGIN SOLUTION
def tokenize(messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase) -> dict[str, list]:
    """One row, labeled in the assistant's turns alone (3.08)."""

    def encode(turns, **options):
        text = tokenizer.apply_chat_template(turns, tokenize=False, **options)
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    ids = encode(messages)
    labels = [IGNORE_INDEX] * len(ids)
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(encode(messages[:i], add_generation_prompt=True))
            turn = encode(messages[: i + 1])  # Its last end token ends the turn; others are quoted.
            end = len(turn) - turn[::-1].index(tokenizer.eos_token_id)
            labels[start:end] = ids[start:end]
    return {"messages": messages, "input_ids": ids, "labels": labels}


# END SOLUTION
def prepare(raw_path: str | Path, out_dir: str | Path, tokenizer: PreTrainedTokenizerBase, config: Config) -> Report:
    """Make a dataset for instruction fine-tuning from a file of raw records.

    Args:
        raw_path: a JSONL file; each line that is not blank is a record, and U+2028 ends none. It is not changed.
        out_dir: where the dataset goes; created if it is missing. An existing dataset there is overwritten.
        tokenizer: a fast tokenizer with a chat template that only appends (3.08), and ends each assistant's turn with
            `tokenizer.eos_token`. On return its settings are what they were.
        config: see the steps.

    The steps, in this order; `tunelings.handson.instructions` has the functions. A dropped record is counted once, at
    the first step that drops it.

    1. malformed: `to_messages` raises a ValueError for the line.
    2. filtered: `quality_issues` finds one or more.
    3. duplicates: of texts (`text_of`) with a Jaccard similarity of `config.threshold` or more, directly or through
       others, only the first in the file is kept.
    4. too long: more than `config.max_length` tokens. It is dropped whole, not cut.
    5. split into train, validation and test, which get about `config.fractions` of the conversations, drawn by
       `config.seed`, each in one part. Texts joined as in 3, but by `config.related`, go to the same part.
    6. augmented: train alone also gets the variants of its conversations from `augment(messages, config.augment, rng)`
       that aren't too long.

    Writes:
        - out_dir: a `DatasetDict` for `load_from_disk` with these parts. Rows, unpadded and in any order, have:
            - `messages`: role and content of each turn, including a system turn, byte for byte;
            - `input_ids`: the ids of the text that the chat template renders, tokenized as a whole, with no special
              token added;
            - `labels`: the same ids at an assistant's contents, whatever they quote, and at the end token directly
              after each, -100 elsewhere.
        - out_dir/lengths.png: a picture of the numbers of tokens.
        - out_dir/README.md: the card, with the number of rows of each part.

    The same records, config and tokenizer give the same `*.arrow` files, byte for byte, in any folder and process.
    Another seed gives another split. The global random generators neither matter nor move.

    Returns:
        `Report`; read - malformed - filtered - duplicates - too_long + augmented is the sum of `written`, the rows of
        each part.

    Raises:
        ValueError: nothing is left for a part; the message names the part.

    Method: Lee and others, "Deduplicating Training Data Makes Language Models Better" (2022),
    https://arxiv.org/abs/2107.06499
    """
    # BEGIN SOLUTION: read and filter, drop near duplicates, tokenize, split by related texts, augment train, write.
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

    texts = [text_of(messages) for messages in unique]
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
    # END SOLUTION


def main() -> None:
    """Given: prepare raw records, look for leaks in what was written, write JSONL and Parquet."""
    from datasets import disable_progress_bars, load_from_disk
    from rich.progress import Progress
    from transformers import AutoTokenizer

    from tunelings import live
    from tunelings.course import find_root
    from tunelings.handson import instructions, models

    parser = argparse.ArgumentParser(description="Make an instruction dataset out of raw records.")
    parser.add_argument("--raw", type=Path, help="JSONL, gzipped or not; default: the records of the course")
    parser.add_argument("--out", type=Path, default=Path("runs/instructions"), help="default: %(default)s")
    parser.add_argument("--model", default="smollm2", help="whose tokenizer: a name or a folder; default: %(default)s")
    options = parser.parse_args()
    raw = options.raw or find_root() / "data" / "instructions" / "raw.jsonl"
    try:
        raw.stat()
        tokenizer = AutoTokenizer.from_pretrained(models.chosen(str(models.find(options.model))))
    except OSError as missing:
        raise SystemExit(str(missing).splitlines()[0]) from None
    disable_progress_bars()
    config = Config(max_length=2048, augment=1)
    with Progress() as progress:
        bar = progress.add_task("reading", total=1.0)
        live.listener = lambda done, text: progress.update(bar, completed=done, description=f"{text:<12}")
        found = prepare(raw, options.out, tokenizer, config)
        progress.update(bar, completed=1.0, description="done")
    for name, count in found._asdict().items():
        print(f"{name:<12}{count}")
    dataset = load_from_disk(options.out)
    print("in more than one part: {exact} equal and {near} near texts".format(**instructions.leaks(dataset, 0.8)))
    if raw.with_name("manifest.json").exists():
        for kind, (lines, wrong) in sorted(instructions.against_manifest(raw, dataset).items()):
            print(f"{kind:<16}{lines:>4} lines, {wrong} {'lost' if kind == 'clean' else 'left'}")
    for name, part in dataset.items():
        part.select_columns("messages").to_json(options.out / f"{name}.jsonl", force_ascii=False)
        part.to_parquet(options.out / f"{name}.parquet")
    print(f"saved {options.out}, with {options.out / 'lengths.png'} and {options.out / 'README.md'}")


if __name__ == "__main__":
    main()
