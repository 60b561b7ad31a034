"""Take in the rows of a file: 4.01 reads formats, 4.03 judges quality, and the tokenizer measures lengths."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunelings.project.config import Config
from tunelings.project.errors import ProjectError
from tunelings.project.kept import LeftOut, Rows, batched
from tunelings.project.parts import Parts
from tunelings.project.rows import Broken, Row, read
from tunelings.project.say import Say


@dataclass
class TakenIn:
    kept: Rows
    read: int = 0
    quality: Counter[str] = field(default_factory=Counter)


def take_in(config: Config, base: Path, work: Path, parts: Parts, left_out: LeftOut, say: Say) -> TakenIn:
    """Read every row, and write those that can be used in one form; rows of a test file come first."""
    sources = [("test:", config.data.test)] if config.data.test else []
    taken = TakenIn(Rows(work / "rows.jsonl"))
    with open(taken.kept.path, "wb") as out:
        for prefix, name in [*sources, ("", config.data.path)]:
            for row in read((base / Path(name).expanduser()).resolve()):
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
    return taken


def keep(kept: Rows, out: Any, record: dict[str, Any]) -> None:
    kept.ids.append(record["id"])
    kept.labels.append(record["label"])
    kept.texts.append(record["text"])
    kept.offsets.append(out.tell())
    out.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")


class Unusable(Exception):
    """A row that holds no example; the message says why."""


def record_of(config: Config, row: Row, prefix: str, parts: Parts) -> dict[str, Any]:
    renamed = {role: row.record.get(column) for role, column in config.data.columns.items()}
    if config.data.kind == "labels":
        record = {**row.record, **renamed}
        text, label = record.get("text"), record.get("label")
        if not isinstance(text, str) or not text.strip():
            raise Unusable(f"{config.data.columns.get('text', 'text')} has no text")
        if label is None or not str(label).strip():
            raise Unusable(f"{config.data.columns.get('label', 'label')} is empty")
        label = str(label).strip()
        messages = [{"role": "user", "content": text}, {"role": "assistant", "content": label}]
        answers = [label]
    else:
        messages, answers = conversation(renamed if renamed else row.record, row.record, parts)
        text, label = "\n".join(turn["content"] for turn in messages[:-1] if turn["role"] != "system"), ""
    if config.data.instruction:
        first = next(turn for turn in messages if turn["role"] == "user")
        first["content"] = f"{config.data.instruction}\n\n{first['content']}"
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
        without = f" without its {repeats} repeats" if repeats else ""
        usable = f"{where} has {kept} row{'s' * (kept != 1)} that can be used{without}{first}"
        raise ProjectError(f"{usable}: at least 10 are needed, and 100 or more are better.")


def measure(config: Config, rows: Rows, tokenizer: Any, left_out: LeftOut) -> tuple[Rows, dict[str, Any]]:
    """Count tokens; drop each row with nothing of its answer left within the limit; other long rows will be cut."""
    limit, lengths, keep, cut = config.data.max_length, [], [], 0
    is_classifier = config.train.head == "classifier"
    for block in batched(enumerate(rows), 500):
        if is_classifier:
            texts = [row["text"] for _, row in block]
        else:
            texts = [tokenizer.apply_chat_template(row["messages"], tokenize=False) for _, row in block]
        encoded = tokenizer(texts, add_special_tokens=is_classifier)["input_ids"]
        for (index, row), ids in zip(block, encoded, strict=True):
            lengths.append(len(ids))
            if len(ids) > limit and not is_classifier and prompt_length(row, tokenizer) >= limit:
                left_out.add("too_long", row["id"], f"{len(ids)} tokens: nothing of the answer is left within {limit}")
                continue
            cut += len(ids) > limit
            keep.append(index)
    if not keep:
        raise ProjectError(
            f"No row fits into max_length = {limit} tokens: the shortest has {min(lengths)}. Shorten the texts."
        )
    ordered = sorted(lengths)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    told = {"median": statistics.median(ordered), "p95": p95, "max": ordered[-1], "limit": limit, "cut": cut}
    return (rows if len(keep) == len(rows) else rows.only(keep)), told


def prompt_length(row: dict, tokenizer: Any) -> int:
    text = tokenizer.apply_chat_template(row["messages"][:-1], tokenize=False, add_generation_prompt=True)
    return len(tokenizer(text, add_special_tokens=False)["input_ids"])
