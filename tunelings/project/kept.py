"""The rows of a project that are kept, and those that are not: on disk, with what is compared in memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from tunelings.project import folder as files

PARTS = ("train", "validation", "test")
SHOWN = 20  # places of each kind in a summary; the file beside it has all of them
NAMED = 8  # places in a line


@dataclass
class Rows:
    """The rows that are kept so far: each on disk at its offset, and of each in memory only what is compared."""

    path: Path
    instruction: str = ""  # said before the first of the user's turns
    ids: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)

    def only(self, kept: Sequence[int]) -> Rows:
        ids, labels, texts = ([column[i] for i in kept] for column in (self.ids, self.labels, self.texts))
        return Rows(self.path, self.instruction, ids, labels, texts, [self.offsets[i] for i in kept])

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with open(self.path, "rb") as file:
            for offset in self.offsets:
                file.seek(offset)
                yield self.instructed(json.loads(file.readline()))

    def instructed(self, row: dict[str, Any]) -> dict[str, Any]:
        if self.instruction:
            first = next(turn for turn in row["messages"] if turn["role"] == "user")
            first["content"] = f"{self.instruction}\n\n{first['content']}"
        return row


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

    def example(self, kind: str) -> str:
        """ " (row 7: is not UTF-8)", or nothing."""
        places = self.places.get(kind)
        return f" ({rows([places[0][0]])}: {places[0][1]})" if places else ""

    def close(self) -> None:
        self.file.close()


def rows(places: Sequence[str], count: int = 1) -> str:
    """ "row 7", "rows 3, 9, 12, …", or the names of files where these are the places of `count` rows."""
    word = f"row{'s' * (count > 1)} " if places[0].split(":")[-1].isdecimal() else ""
    return f"{word}{', '.join(places[:NAMED])}{', …' if count > NAMED else ''}"


def load(folder: Path, part: str) -> list[dict[str, Any]]:
    """The rows of a part."""
    return list(files.lines(folder / f"{part}.jsonl"))


def batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of `size` items; itertools has this from Python 3.12 on."""
    rest = iter(items)
    while block := list(islice(rest, size)):
        yield block
