"""4.10 · Instruction dataset: turn raw records, with all their faults, into data that a trainer can use.

`python exercises/module04/ex10_instruction_dataset.py` does it for 361 raw records about Python. All their faults are
known, so it reports how many of each kind are left. `--raw`, `--out` and `--model` choose other records, folders and
tokenizers.
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


def prepare(raw_path: str | Path, out_dir: str | Path, tokenizer: PreTrainedTokenizerBase, config: Config) -> Report:
    """Make a dataset for instruction fine-tuning from a file of raw records.

    Args:
        raw_path: a JSONL file; each line that is not blank is a record, and only a newline ends a line. It is not
            changed.
        out_dir: where the dataset goes; created if it is missing. An existing dataset there is overwritten.
        tokenizer: a fast tokenizer with a chat template as in 3.08: it only appends, `add_generation_prompt=True`
            adds exactly the header of an assistant's turn, and each of these turns ends with `tokenizer.eos_token`.
            On return its settings are what they were.
        config: see the steps.

    The steps, in this order. A dropped record is counted once, at the first step that drops it. The functions of
    `tunelings.handson.instructions` define what is malformed, bad, a text and a variant; you don't have to call
    them.

    1. malformed: `to_messages` raises a ValueError for the line.
    2. filtered: `quality_issues` finds one or more.
    3. duplicates: of conversations whose texts (`text_of`) are near each other, with a Jaccard similarity of
       `config.threshold` or more, directly or through others, only the first in the file is kept.
    4. too long: it has more than `config.max_length` tokens. It is dropped whole, not cut.
    5. split into train, validation and test, which get about `config.fractions` of the conversations, drawn by
       `config.seed`. No conversation is in two parts. Texts with a Jaccard similarity of `config.related` or more,
       directly or through others, go to the same part.
    6. augmented: train, and no other part, also gets the variants of its conversations that
       `augment(messages, config.augment, rng)` returns, except those of more than `config.max_length` tokens.

    Writes:
        - out_dir: a `DatasetDict` for `load_from_disk` with the parts train, validation and test. Every row has:
            - `messages`: role and content of each turn, including a system turn, byte for byte;
            - `input_ids`: the ids of the text that the chat template renders, tokenized as a whole, with no special
              token added to it;
            - `labels`: of the same length; the same ids at an assistant's contents, whatever they quote, and at the
              end token directly after each, -100 elsewhere.

          There may be more columns. Nothing is padded. The rows of a part may be in any order.
        - out_dir/lengths.png: a picture of the numbers of tokens.
        - out_dir/README.md: the card, with the number of rows of each part.

    The same records, config and tokenizer give the same `*.arrow` files, byte for byte, wherever they are read
    from and written to, in each process, whatever the state of the global random generators; on return that state
    is what it was. Another seed gives another split.

    Returns:
        `Report`; read - malformed - filtered - duplicates - too_long + augmented is the sum of `written`, which
        has the number of rows of each of the three parts.

    Raises:
        ValueError: nothing is left for a part, as when the file holds no record; the message then holds the
            name of the part. (`load_from_disk` cannot read an empty part.)

    Method: Lee and others, "Deduplicating Training Data Makes Language Models Better" (2022),
    https://arxiv.org/abs/2107.06499; https://huggingface.co/docs/trl/dataset_formats
    """
    # TODO: read and filter, drop near duplicates, tokenize, split by related texts, augment train, write.
    raise NotImplementedError("TODO")


def main() -> None:
    """Given: prepare raw records with a progress bar, look for leaks in what was written, write JSONL and Parquet."""
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
