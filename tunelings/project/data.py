"""From a learner's file to three parts: read, filter, drop repeats, split, and look for leaks into the test.

Each decision is a part: 4.01 reads formats, 4.03 judges quality, 4.04 finds repeats, 4.06 splits and 4.09 finds leaks.
Nothing goes without a word: what is broken, dropped or cut is counted, and its places are written down. Rows stand in
a file on disk and not in memory.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from tunelings.project import folder as files
from tunelings.project.config import Config
from tunelings.project.errors import ProjectError
from tunelings.project.parts import Parts
from tunelings.project.rows import Broken, Row, read
from tunelings.project.say import Say

PARTS = ("train", "validation", "test")
SHOWN = 20  # places of each kind in a summary; the file beside it has all of them
AT_ONCE = 20_000  # texts that 4.04 compares; more are first put into groups of texts that may be alike
LEAK_BLOCK = 10_000  # training texts of one call of 4.09, whose memory grows with all runs of words
RELATED = 0.6  # Jaccard from which two conversations go to the same part


@dataclass
class Rows:
    """The rows that are kept so far: each on disk at its offset, and of each in memory only what is compared."""

    path: Path
    ids: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)

    def only(self, kept: Sequence[int]) -> Rows:
        ids, labels, texts = ([column[i] for i in kept] for column in (self.ids, self.labels, self.texts))
        return Rows(self.path, ids, labels, texts, [self.offsets[i] for i in kept])

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with open(self.path, "rb") as file:
            for offset in self.offsets:
                file.seek(offset)
                yield json.loads(file.readline())


def prepare(config: Config, base: Path, work: Path, parts: Parts, tokenizer: Any, say: Say) -> dict[str, Any]:
    """Write train.jsonl, validation.jsonl, test.jsonl and left_out.jsonl into `work`.

    A row has id, messages, text (what repeats and leaks are found by), answers (any of them is right) and label.

    Args:
        base: where relative paths of the settings begin.
        tokenizer: that of the model; it counts tokens.

    Returns:
        The counts of everything, for result.json and the report.

    Raises:
        ProjectError: nothing can be learned from this data; one line says why.
    """
    left_out = LeftOut(work / "left_out.jsonl")
    rows = take_in(config, base, work, parts, left_out, say)
    summary: dict[str, Any] = {"read": rows.read, "broken": left_out.of("broken"), "quality": dict(rows.quality)}
    kept: Rows = rows.kept
    check_amount(config, len(kept), rows.read, summary["broken"])
    say.progress(0.3, "lengths")
    kept, summary["tokens"] = measure(config, kept, tokenizer, left_out)
    if config.data.pipeline == "whole":
        places = prepare_whole(config, work, parts, kept, tokenizer, left_out)
    else:
        say.progress(0.5, "duplicates")
        kept, summary["contradictions"] = drop_repeats(config, kept, parts, left_out)
        say.progress(0.7, "split")
        places = split(config, kept, parts, say)
    say.progress(0.85, "leaks")
    drop_leaks(kept, places, parts, left_out)
    summary |= {name: left_out.of(name) for name in ("quality_dropped", "duplicates", "too_long", "leaks")}
    summary |= write_parts(config, work, kept, places)
    rows.kept.path.unlink()
    left_out.close()
    return summary


# ---------------------------------------------------------------- what is left out
class LeftOut:
    """Every row that is not used, with its place and the reason, in a file."""

    def __init__(self, path: Path):
        self.file = open(path, "w", encoding="utf-8")
        self.counts: Counter[str] = Counter()
        self.places: dict[str, list[list[str]]] = {}

    def add(self, kind: str, place: str, why: str = "") -> None:
        self.counts[kind] += 1
        if len(shown := self.places.setdefault(kind, [])) < SHOWN:
            shown.append([place, why])
        self.file.write(json.dumps({"kind": kind, "place": place, "why": why}, ensure_ascii=False) + "\n")

    def of(self, kind: str) -> dict[str, Any]:
        return {"count": self.counts[kind], "first": self.places.get(kind, [])}

    def close(self) -> None:
        self.file.close()


# ---------------------------------------------------------------- taking in
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


def check_amount(config: Config, kept: int, read_: int, broken: dict[str, Any]) -> None:
    where = Path(config.data.path).name
    if read_ == 0:
        raise ProjectError(f"{where} is empty: there is nothing to learn from.")
    first = f" (row {broken['first'][0][0]}: {broken['first'][0][1]})" if broken["first"] else ""
    if kept == 0:
        raise ProjectError(f"None of the {read_} rows of {where} can be used{first}.")
    if kept < 10:
        raise ProjectError(
            f"{where} has {kept} row{'s' * (kept != 1)} that can be used: 10 is the least, 100 or more tell something."
        )


# ---------------------------------------------------------------- lengths
def measure(config: Config, rows: Rows, tokenizer: Any, left_out: LeftOut) -> tuple[Rows, dict[str, Any]]:
    """Count tokens; a row of whose answer nothing would be left is dropped, a longer one will be cut."""
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
                left_out.add("too_long", row["id"], f"{len(ids)} tokens: nothing of the answer is left of {limit}")
                continue
            cut += len(ids) > limit
            keep.append(index)
    if not keep:
        raise ProjectError(f"No row fits into max_length = {limit} tokens: the shortest has {min(lengths)}.")
    ordered = sorted(lengths)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    told = {"median": statistics.median(ordered), "p95": p95, "max": ordered[-1], "limit": limit, "cut": cut}
    return (rows if len(keep) == len(rows) else rows.only(keep)), told


def prompt_length(row: dict, tokenizer: Any) -> int:
    text = tokenizer.apply_chat_template(row["messages"][:-1], tokenize=False, add_generation_prompt=True)
    return len(tokenizer(text, add_special_tokens=False)["input_ids"])


# ---------------------------------------------------------------- repeats
def drop_repeats(config: Config, rows: Rows, parts: Parts, left_out: LeftOut) -> tuple[Rows, int]:
    """Keep of each group of repeats the first; returns also how many texts have two labels."""
    whole = compared(config, rows)
    kept: list[int] = []
    with parts.using("4.04") as duplicates:
        for group in groups_of(whole, config.data.duplicates):
            if len(group) == 1:  # Nothing is like it.
                kept += group
                continue
            found = duplicates.deduplicate([whole[i] for i in group], config.data.duplicates)
            kept += [group[i] for i in found]
    kept.sort()
    for i in sorted(set(range(len(rows))) - set(kept)):
        left_out.add("duplicates", rows.ids[i])
    return rows.only(kept), contradictions(rows) if config.data.kind == "labels" else 0


def compared(config: Config, rows: Rows) -> list[str]:
    """What repeats are found by: the text, or all that user and assistant say."""
    if config.data.kind == "labels":
        return rows.texts
    return [f"{text}\n{row['messages'][-1]['content']}" for text, row in zip(rows.texts, rows, strict=True)]


def groups_of(texts: list[str], threshold: float) -> list[list[int]]:
    """All texts in one list; of very many, lists of those that may be alike, so that 4.04 needs no more memory."""
    if len(texts) <= AT_ONCE:
        return [list(range(len(texts)))]
    from tunelings.handson.duplicates import near_groups

    groups: dict[int, list[int]] = {}
    for index, first in enumerate(near_groups(texts, threshold)):
        groups.setdefault(first, []).append(index)
    return list(groups.values())


def contradictions(rows: Rows) -> int:
    seen: dict[str, set[str]] = {}
    for text, label in zip(rows.texts, rows.labels, strict=True):
        seen.setdefault(" ".join(text.casefold().split()), set()).add(label)
    return sum(len(labels) > 1 for labels in seen.values())


# ---------------------------------------------------------------- splits and leaks
def split(config: Config, rows: Rows, parts: Parts, say: Say) -> list[str]:
    """The part of each row, by 4.06."""
    fractions = config.data.fractions
    own = [i for i, name in enumerate(rows.ids) if not (config.data.test and name.startswith("test:"))]
    if config.data.test:
        share = fractions[0] + fractions[1]
        fractions = (fractions[0] / share, fractions[1] / share, 0.0)
    check_labels(config, rows, own)
    records = [{"id": rows.ids[i], "label": rows.labels[i], "group": rows.ids[i]} for i in own]
    if config.data.kind == "chat":
        from tunelings.handson.duplicates import near_groups

        for record, first in zip(records, near_groups([rows.texts[i] for i in own], RELATED), strict=True):
            record["group"] = records[first]["id"]
    by = {"stratify": "label"} if config.data.kind == "labels" else {"group": "group"}
    with parts.using("4.06") as splits:
        try:
            found = splits.split(records, "id", **by, fractions=fractions, seed=config.data.seed)
        except ValueError as error:
            parts.now = None
            raise ProjectError(f"{len(records)} rows can't be split into three parts: {error}.") from None
        part_of = {record["id"]: name for name in PARTS for record in found[name]}
        return ["test" if name.startswith("test:") and config.data.test else part_of[name] for name in rows.ids]


def check_labels(config: Config, rows: Rows, own: list[int]) -> None:
    if config.data.kind != "labels":
        return
    counts = Counter(rows.labels[i] for i in own)
    if len(counts) == 1:
        raise ProjectError(f"All rows have the label {rows.labels[own[0]]!r}: there is nothing to tell apart.")
    if only := sorted(set(rows.labels) - counts.keys()):
        shown = ", ".join(map(repr, only[:5]))
        raise ProjectError(f"Labels that only the test part has can't be learned: {shown}. Add examples, or drop them.")
    if len(counts) > 0.5 * len(own):
        raise ProjectError(
            f"{len(counts)} labels for {len(own)} rows: labels need more examples (answers go by --completion)."
        )


def drop_leaks(rows: Rows, places: list[str], parts: Parts, left_out: LeftOut) -> None:
    """Mark test rows that the training part has already shown; they measure nothing."""
    train = [rows.texts[i] for i, place in enumerate(places) if place == "train"]
    test = [i for i, place in enumerate(places) if place == "test"]
    leaked: set[int] = set()
    with parts.using("4.09") as leaks:
        for block in batched(train, LEAK_BLOCK):
            leaked.update(test[i] for i in leaks.contaminated(block, [rows.texts[i] for i in test]))
    for i in sorted(leaked):
        left_out.add("leaks", rows.ids[i])
        places[i] = ""
    if "test" not in places:
        raise ProjectError("Every test row is also in the training part: nothing is left to measure with.")


def write_parts(config: Config, work: Path, rows: Rows, places: list[str]) -> dict[str, Any]:
    outs = {name: open(work / f"{name}.jsonl", "w", encoding="utf-8") for name in PARTS}
    counts: Counter[str] = Counter()
    for row, place in zip(rows, places, strict=True):
        if place:
            outs[place].write(json.dumps(row, ensure_ascii=False) + "\n")
            counts[place] += 1
    for file in outs.values():
        file.close()
    labels = Counter(label for label, place in zip(rows.labels, places, strict=True) if place and label)
    return {"written": {name: counts[name] for name in PARTS}, "labels": dict(labels.most_common())}


# ---------------------------------------------------------------- 4.10
def prepare_whole(config: Config, work: Path, parts: Parts, rows: Rows, tokenizer: Any, left_out: LeftOut) -> list[str]:
    """The part of each row, by 4.10 in one go: its duplicates, its split; "" where it dropped a row."""
    from datasets import disable_progress_bars, load_from_disk

    disable_progress_bars()
    raw = work / "raw.jsonl"
    files.write_lines(raw, ({"messages": row["messages"]} for row in rows))
    part_of: dict[str, str] = {}
    with parts.using("4.10") as whole:
        data = config.data
        settings = whole.Config(data.max_length, data.duplicates, tuple(data.fractions), 0, data.seed)
        try:
            whole.prepare(raw, work / "whole", tokenizer, settings)
        except ValueError as error:
            parts.now = None
            raise ProjectError(f"{len(rows)} rows can't be prepared as a whole: {error}.") from None
        for name, part in load_from_disk(str(work / "whole")).items():
            part_of |= {as_key(messages): name for messages in part["messages"]}
    places = []
    for name, row in zip(rows.ids, rows, strict=True):
        places.append(part_of.pop(as_key(row["messages"]), ""))
        if not places[-1]:
            left_out.add("duplicates", name)
    raw.unlink()
    return places


def as_key(messages: Any) -> str:
    return json.dumps([[turn["role"], turn["content"]] for turn in messages])


def load(folder: Path, part: str) -> list[dict[str, Any]]:
    """The rows of a part."""
    return list(files.lines(folder / f"{part}.jsonl"))


def batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of `size` items; itertools has this from Python 3.12 on."""
    rest = iter(items)
    while block := list(islice(rest, size)):
        yield block
