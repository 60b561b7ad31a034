"""What retrieval searches: the passages of a file or a folder, and those that can't be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tunelings.project.errors import ProjectError
from tunelings.project.rows import Broken, Row, checked, read

SHOWN = 5


class Passages(NamedTuple):
    """The texts, and what is left out, with its place."""

    texts: list[str]
    left_out: list[Broken]

    def told(self) -> str:
        """What is left out, in one line; "" where all of it is used."""
        if not self.left_out:
            return ""
        shown = "; ".join(f"{one.place} {one.why}" for one in self.left_out[:SHOWN])
        more = "; …" * (len(self.left_out) > SHOWN)
        return f"{len(self.left_out):,} of {len(self.texts) + len(self.left_out):,} passages left out: {shown}{more}"


def read_passages(path: Path) -> Passages:
    """A file with a column `text` (and perhaps `title`), or a folder of .txt files.

    Raises:
        ProjectError: there is no passage in it.
    """
    texts, left_out = [], []
    for row in files_of(path) if path.is_dir() else read(path):
        text = joined(row.record) if isinstance(row, Row) else ""
        if text.strip():
            texts.append(text)
        else:
            left_out.append(row if isinstance(row, Broken) else Broken(row.place, "has no text"))
    if not texts:
        raise ProjectError(f"{path} has no passages: a file needs a column `text`, a folder .txt files.")
    return Passages(texts, left_out)


def files_of(path: Path) -> Iterator[Row | Broken]:
    for file in sorted(path.rglob("*.txt")):
        text = file.read_text(encoding="utf-8-sig", errors="surrogateescape")
        yield checked(Row(file.relative_to(path).as_posix(), {"text": text}))


def joined(record: dict[str, object]) -> str:
    return "\n".join(str(record[key]) for key in ("title", "text") if record.get(key))
