"""Take in the rows of a file: 4.01 reads formats, 4.03 judges quality, and the tokenizer measures lengths."""

from __future__ import annotations

import json
import statistics
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunelings.project.config import ROLES, Config
from tunelings.project.errors import ProjectError
from tunelings.project.folder import expanded
from tunelings.project.kept import SHOWN, LeftOut, Rows, batched, rows
from tunelings.project.parts import Parts
from tunelings.project.rows import NOT_UTF8, Broken, Row, check_columns, columns_of, read
from tunelings.project.say import Say

FIELDS = ("instruction", "input", "output", "prompt", "completion", "system")  # the texts that 4.01 reads


@dataclass
class TakenIn:
    kept: Rows
    left_out: LeftOut
    read: int = 0
    quality: Counter[str] = field(default_factory=Counter)
    lengths: array[int] = field(default_factory=lambda: array("I"))  # tokens of each row that is kept


def take_in(config: Config, base: Path, work: Path, parts: Parts, say: Say) -> TakenIn:
    """Read every row, and write those that can be used in one form; rows of a test file come first.

    Raises:
        ProjectError: there are too few of them, or the settings name a column that isn't there.
    """
    sources = [("test:", config.data.test)] if config.data.test else []
    left_out = LeftOut(work / "left_out.jsonl")
    taken = TakenIn(Rows(work / "rows.jsonl", config.data.instruction), left_out)
    with open(taken.kept.path, "wb") as out:
        for prefix, name in [*sources, ("", config.data.path)]:
            path = expanded(name, base)
            if columns := columns_used(config):
                check_columns(path, columns.values(), columns_of(path))
            for row in read(path):
                taken.read += 1
                if taken.read % 2000 == 0:
                    say.progress(0.02, f"{taken.read:,} rows read")
                if isinstance(row, Broken):
                    left_out.add("broken", prefix + row.place, row.why)
                    continue
                try:
                    record = record_of(config, row, prefix, parts)
                except Unusable as error:
                    left_out.add("broken", prefix + row.place, str(error))
                    continue
                if judged(config, record, parts, taken.quality, left_out):
                    keep(taken.kept, out, record)
    check_amount(config, len(taken.kept), taken.read, left_out)
    return taken


def columns_used(config: Config) -> dict[str, str]:
    """The column of each role; {} where 4.01 finds out the format."""
    is_known = config.data.kind == "labels" or config.data.columns
    return {role: role for role in ROLES[config.data.kind]} | config.data.columns if is_known else {}


def keep(kept: Rows, out: Any, record: dict[str, Any]) -> None:
    kept.ids.append(record["id"])
    kept.labels.append(record["label"])
    kept.texts.append(record["text"])
    kept.offsets.append(out.tell())
    out.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")


class Unusable(Exception):
    """A row that holds no example; the message says why."""


def record_of(config: Config, row: Row, prefix: str, parts: Parts) -> dict[str, Any]:
    renamed = {role: row.record.get(column) for role, column in columns_used(config).items()}
    used = renamed or row.record
    if unread := next((name for name in ("text", "label", *FIELDS) if isinstance(used.get(name), bytes)), None):
        raise Unusable(f"{config.data.columns.get(unread, unread)} {NOT_UTF8}")
    if config.data.kind == "labels":
        text, label = renamed["text"], renamed["label"]
        if not isinstance(text, str) or not text.strip():
            raise Unusable(f"{config.data.columns.get('text', 'text')} has no text")
        if label is None or label != label or not str(label).strip():  # Parquet may have NaN where there is none.
            raise Unusable(f"{config.data.columns.get('label', 'label')} is empty")
        label = str(label).strip()
        messages = [{"role": "user", "content": text}, {"role": "assistant", "content": label}]
        answers = [label]
    else:
        messages, answers = conversation(used, row.record, parts)
        text, label = "\n".join(turn["content"] for turn in messages[:-1] if turn["role"] != "system"), ""
    return {"id": prefix + row.place, "messages": messages, "text": text, "answers": answers, "label": label}


def conversation(record: dict, whole: dict, parts: Parts) -> tuple[list[dict[str, str]], list[str]]:
    with parts.using("4.01") as formats:
        try:
            messages = [dict(turn) for turn in formats.to_messages(record)]
        except ValueError as error:  # What 4.01 says of a malformed record.
            parts.now = None
            raise Unusable(" ".join(str(error).split())[:200]) from None
        answer = messages[-1]["content"]
    given = whole.get("answers")
    if isinstance(given, list) and given and all(isinstance(one, str) and one.strip() for one in given):
        return messages, list(given)
    return messages, [answer]


def judged(config: Config, record: dict, parts: Parts, found: Counter[str], left_out: LeftOut) -> bool:
    """Whether 4.03 lets the row pass; labels are not prose, and are not judged."""
    if config.data.kind == "labels":
        return True
    answer = record["messages"][-1]["content"]
    with parts.using("4.03") as quality:
        pair = {"prompt": record["text"], "completion": answer}
        issues = list(quality.quality_issues(pair, language=config.data.language))
    found.update(issues)
    if unfit := [issue for issue in issues if issue in config.data.drop]:
        left_out.add("quality_dropped", record["id"], ", ".join(unfit))
        return False
    return True


def check_amount(config: Config, kept: int, read_: int, left_out: LeftOut) -> None:
    where, first, repeats = Path(config.data.path).name, left_out.example("broken"), left_out.counts["duplicates"]
    if read_ == 0:
        raise ProjectError(f"{where} is empty: there is nothing to learn from.")
    if kept == 0:
        raise ProjectError(f"None of the {read_} rows of {where} can be used{first}.")
    if kept < 10:
        within = f" at max_length = {config.data.max_length}" if left_out.counts["too_long"] else ""
        without = f" without its {repeats} repeats" if repeats else ""
        usable = f"{where} has {kept} row{'s' * (kept != 1)} that can be used{within}{without}{first}"
        raise ProjectError(f"{usable}: at least 10 are needed, and 100 or more are better.")


def measure(config: Config, taken: TakenIn, tokenizer: Any) -> None:
    """Count the tokens of each row that is kept."""
    is_classifier = config.train.head == "classifier"
    for block in batched(taken.kept, 500):
        if is_classifier:
            texts = [row["text"] for row in block]
        else:
            texts = [tokenizer.apply_chat_template(row["messages"], tokenize=False) for row in block]
        taken.lengths.extend(map(len, tokenizer(texts, add_special_tokens=is_classifier)["input_ids"]))


def p95(lengths: array[int]) -> int:
    return sorted(lengths)[int(0.95 * (len(lengths) - 1))]


def within_limit(config: Config, taken: TakenIn, tokenizer: Any) -> tuple[Rows, dict[str, Any]]:
    """Leave out each row with nothing of its answer left within the limit; other long rows will be cut."""
    kept, lengths, limit = taken.kept, taken.lengths, config.data.max_length
    longer = [i for i, length in enumerate(lengths) if length > limit]
    empty: set[int] = set()
    if config.train.head == "answer":
        for i, row in zip(longer, kept.only(longer), strict=True):
            if prompt_length(row, tokenizer) >= limit:
                empty.add(i)
                why = f"{lengths[i]} tokens: nothing of the answer is left within {limit}"
                taken.left_out.add("too_long", row["id"], why)
    if len(empty) == len(kept):
        raise ProjectError(
            f"No row fits into max_length = {limit} tokens: the shortest has {min(lengths)}. Raise it, or shorten the "
            "texts."
        )
    cut = [kept.ids[i] for i in longer if i not in empty]
    told: dict[str, Any] = {"median": statistics.median(lengths), "p95": p95(lengths), "max": max(lengths)}
    told |= {"limit": limit, "cut": len(cut), "cut_rows": cut[:SHOWN]}
    return (kept.only([i for i in range(len(kept)) if i not in empty]) if empty else kept), told


def cuts(found: dict[str, Any], verb: str) -> Iterator[str]:
    """What the limit does to the rows of a data step, for the screen."""
    tokens, too_long = found["tokens"], found["too_long"]
    if tokens["cut"]:
        yield f"{tokens['cut']:,} {verb} at {tokens['limit']} tokens: {rows(tokens['cut_rows'], tokens['cut'])}"
    if count := too_long["count"]:
        which = rows([place for place, _ in too_long["first"]], count)
        yield f"{count:,} left out, with nothing of the answer left within {tokens['limit']} tokens: {which}"


def prompt_length(row: dict, tokenizer: Any) -> int:
    text = tokenizer.apply_chat_template(row["messages"][:-1], tokenize=False, add_generation_prompt=True)
    return len(tokenizer(text, add_special_tokens=False)["input_ids"])
