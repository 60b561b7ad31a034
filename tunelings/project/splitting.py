"""Three parts from the rows that are kept: 4.04 finds repeats, 4.06 splits, 4.09 finds leaks; or 4.10 does it all."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from tunelings.project import folder as files
from tunelings.project.config import Config
from tunelings.project.errors import ProjectError
from tunelings.project.kept import PARTS, LeftOut, Rows, batched
from tunelings.project.parts import Parts

AT_ONCE = 20_000  # texts that 4.04 compares; more are first put into groups of texts that may be alike
LEAK_BLOCK = 10_000  # training texts of one call of 4.09, whose memory grows with all runs of words
RELATED = 0.6  # Jaccard from which two conversations go to the same part


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


def split(config: Config, rows: Rows, parts: Parts, left_out: LeftOut) -> list[str]:
    """The part of each row, by 4.06."""
    fractions = config.data.fractions
    own = [i for i, name in enumerate(rows.ids) if not (config.data.test and name.startswith("test:"))]
    if config.data.test:
        share = fractions[0] + fractions[1]
        fractions = (fractions[0] / share, fractions[1] / share, 0.0)
    check_labels(config, rows, own, left_out)
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


def check_labels(config: Config, rows: Rows, own: list[int], left_out: LeftOut) -> None:
    if config.data.kind != "labels":
        return
    counts = Counter(rows.labels[i] for i in own)
    if len(counts) == 1:
        first = left_out.example("broken")
        these = f"All rows that can be used{first}" if first else "All rows"
        raise ProjectError(f"{these} have the label {rows.labels[own[0]]!r}: there is nothing to tell apart.")
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


def prepare_whole(config: Config, work: Path, parts: Parts, rows: Rows, tokenizer: Any, left_out: LeftOut) -> list[str]:
    """The part of each row, by 4.10 in one go: its duplicates, its split; "" where it dropped a row."""
    from datasets import disable_progress_bars, load_from_disk

    disable_progress_bars()
    raw, out = work / "raw.jsonl", work / "whole"
    shutil.rmtree(out, ignore_errors=True)  # of a run that was killed
    files.write_lines(raw, ({"messages": row["messages"]} for row in rows))
    part_of: dict[str, str] = {}
    with parts.using("4.10") as whole:
        data = config.data
        settings = whole.Config(data.max_length, data.duplicates, tuple(data.fractions), 0, data.seed)
        try:
            whole.prepare(raw, out, tokenizer, settings)
        except ValueError as error:
            parts.now = None
            raise ProjectError(f"{len(rows)} rows can't be prepared as a whole: {error}.") from None
        for name, part in load_from_disk(str(out)).items():
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
