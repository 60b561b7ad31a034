"""The gradebook that an LMS has exported, with one column filled; every other byte stays as it is.

Known are Canvas (https://community.canvaslms.com/t5/Instructor-Guide/tkb-p/Instructor, "How do I import grades in the
Gradebook?"), with its row "Points Possible", and Moodle's grading worksheet, with its column "Maximum Grade"; any
other CSV needs a column "Grade" or "tunelings". Students are found by whatever of the row says who they are.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tunelings.classroom.table import number
from tunelings.course import CourseError

# The columns, in lower case, that say who a row is about.
WHO = frozenset(
    "student|id|sis user id|sis login id|identifier|full name|id number|email address|email|username|name|login|"
    "student id|netid|org defined id|orgdefinedid|github username".split("|")
)
GRADE, MAXIMUM, POINTS_POSSIBLE, OURS = "grade", "maximum grade", "points possible", "tunelings"
# Folders of all submissions: Moodle's are called "Ann Lee_123_assignsubmission_file", Canvas's files "leeann_42_99_…".
MOODLE = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_\w+")
CANVAS = re.compile(r"[a-z]+_(?:LATE_)?(?P<id>\d+)_\d+.*")


@dataclass(frozen=True)
class Filled:
    """content: the file as it is to be written; problems: who was not found and why, by name."""

    content: bytes
    problems: dict[str, str]


@dataclass(frozen=True)
class Record:
    """One row: its cells, and its text with the line's end."""

    cells: list[str]
    text: str


def fill(path: Path, points: Mapping[str, tuple[float, float]], *, left_out: Collection[str] = frozenset()) -> Filled:
    """Put each student's points into the gradebook; `points` has (points, out of) by the student's name.

    The rows of the students in `left_out` are looked for like all others, and keep what is in them.

    Where the gradebook says what the grade is out of, the points are scaled to it. A student whose name fits no row,
    or more than one, is a problem, and no row gets those points; a row that is nobody's stays as it is.

    Raises:
        CourseError: the file can't be read, or has no column that says who a row is about, or none for the grade.
    """
    return Gradebook(path).filled(points, left_out)


class Gradebook:
    """An exported CSV: `head` and `records`, and the `column` that takes the grade (`is_new`: it has none yet)."""

    def __init__(self, path: Path):
        text, self.encoding = _read(path)
        self.delimiter = max(",;\t", key=text.split("\n", 1)[0].count)
        self.head, *self.records = _records(text, self.delimiter, path)
        self.names = [cell.strip().lower() for cell in self.head.cells]
        self.who = [place for place, name in enumerate(self.names) if name in WHO]
        if not self.who:
            raise CourseError(f"{path}: no column says who a row is about, such as Student, ID or Email address.")
        self.column = _column(self.names, path)
        self.is_new = self.column == len(self.names)
        # Canvas has it in one of the first rows.
        self.possible = next((one for one in self.records[:3] if _is_possible(one)), None)

    def filled(self, points: Mapping[str, tuple[float, float]], left_out: Collection[str] = frozenset()) -> Filled:
        rows, problems = _rows(self.records, self.who, points)
        rows = {place: name for place, name in rows.items() if name not in left_out}
        most = max((most for _, most in points.values()), default=0)
        lines = [self._with(self.head, OURS) if self.is_new else self.head.text]
        for place, record in enumerate(self.records):
            if place in rows:
                lines.append(self._with(record, self._grade(record, *points[rows[place]])))
            elif self.is_new:
                lines.append(self._with(record, number(most) if record is self.possible else ""))
            else:
                lines.append(record.text)
        return Filled("".join(lines).encode(self.encoding), problems)

    def _grade(self, record: Record, got: float, most: float) -> str:
        scale = self._out_of(record)
        return number(got) if scale is None or not most else number(got / most * scale)

    def _out_of(self, record: Record) -> float | None:
        """What the grade is out of, by Moodle's column or Canvas's row; None where neither says it."""
        texts = []
        if MAXIMUM in self.names:
            texts += record.cells[self.names.index(MAXIMUM) :][:1]
        if self.possible:
            texts += self.possible.cells[self.column :][:1]
        for text in texts:
            try:
                return float(text.strip().replace(",", "."))
            except ValueError:
                continue
        return None

    def _with(self, record: Record, value: str) -> str:
        """The row's text with its grade changed; the other cells keep their quotes and spaces."""
        if self.column >= len(record.cells):
            body = record.text.rstrip("\r\n")
            missing = self.delimiter * (self.column - len(record.cells) + 1)
            return f"{body}{missing}{value}{record.text[len(body) :]}"
        at = 0
        for cell in record.cells[: self.column]:
            at += len(_raw(record.text, at, cell)) + len(self.delimiter)
        old = _raw(record.text, at, record.cells[self.column])
        new = f'"{value}"' if old.startswith('"') else value
        return record.text[:at] + new + record.text[at + len(old) :]


def _is_possible(record: Record) -> bool:
    return any(POINTS_POSSIBLE == cell.strip().lower() for cell in record.cells)


def _read(path: Path) -> tuple[str, str]:
    """The text and its encoding: UTF-8 with or without a mark, else Latin-1, in which every byte comes back."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path} can't be read: {error.strerror}.") from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CourseError(f"{path} is UTF-16: export it as UTF-8.")
    encoding = "utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8"
    try:
        return content.decode(encoding), encoding
    except UnicodeDecodeError:
        return content.decode("latin-1"), "latin-1"


def _records(text: str, delimiter: str, path: Path) -> list[Record]:
    """The rows with their text, which csv.reader doesn't keep: `line_num` says how many lines each one took."""
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    records, start = [], 0
    try:
        for cells in reader:
            records.append(Record(cells, "".join(lines[start : reader.line_num])))
            start = reader.line_num
    except csv.Error as error:
        raise CourseError(f"{path} line {reader.line_num} isn't valid CSV: {error}.") from None
    if not records:
        raise CourseError(f"{path} is empty: give the CSV that your LMS exports.")
    return records


def _column(names: list[str], path: Path) -> int:
    """Where the grade goes: our own column, else Moodle's; Canvas gets a new one, from which it makes an assignment."""
    ours = [place for place, name in enumerate(names) if OURS in name]
    found = ours or [place for place, name in enumerate(names) if name == GRADE]
    if len(found) > 1:
        raise CourseError(f"{path}: {len(found)} columns could take the grade; leave one with {OURS} in its name.")
    if found:
        return found[0]
    if {"student", "section"} <= set(names):
        return len(names)
    raise CourseError(f'{path}: no column takes the grade: name one "Grade" or "{OURS}".')


def _rows(records: list[Record], who: list[int], points: Mapping[str, object]) -> tuple[dict[int, str], dict[str, str]]:
    """Whose each row is, and who couldn't be found."""
    known: dict[str, set[int]] = {}
    for place, record in enumerate(records):
        for column in who:
            if column < len(record.cells) and (cell := _plain(record.cells[column])):
                known.setdefault(cell, set()).add(place)
    rows: dict[int, str] = {}
    problems: dict[str, str] = {}
    twice = set()
    for name in points:
        found = next((known[one] for one in _called(name) if one in known), set())
        if len(found) != 1:
            problems[name] = f"{name}: {len(found) or 'no'} row{'s' * (len(found) != 1)} of the roster could be meant"
            continue
        (place,) = found
        if place in rows:
            problems[name] = f"{name} and {rows[place]} are the same row of the roster"
            twice.add(place)
        rows[place] = name
    return {place: name for place, name in rows.items() if place not in twice}, problems


def _called(name: str) -> Iterable[str]:
    """What a row may say of the student whose folder has this name, the surest first."""
    yield _plain(name)
    if moodle := MOODLE.fullmatch(name):
        yield _plain(f"Participant {moodle['id']}")
        yield _plain(moodle["name"])
    elif canvas := CANVAS.fullmatch(name):
        yield _plain(canvas["id"])


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split())).casefold()


def _raw(text: str, at: int, cell: str) -> str:
    """A cell as it stands in the row: in quotes or not."""
    escaped = cell.replace('"', '""')
    quoted = f'"{escaped}"'
    return quoted if text.startswith(quoted, at) else cell
