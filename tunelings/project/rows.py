"""Read a learner's file: JSONL, CSV, TSV, Parquet, a folder of `datasets`, or a folder of text files by label.

Rows come one by one with their place in the file, so that 100,000 of them need no more memory than one. A row that
can't be read is a Broken with its place and the reason; it is never left out without a word.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import json
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from tunelings.project.errors import ProjectError

LARGEST = 200_000  # characters of a row: about 50,000 tokens, more than any model of the course reads
PEEKED = 50  # rows that are looked at for the names of their columns
LISTED = 30  # names of columns in a message
NOT_UTF8 = "is not UTF-8, so save the file as UTF-8"
BOMS = {  # That of UTF-32 begins like that of UTF-16.
    "UTF-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "UTF-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}
SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")


@dataclass(frozen=True)
class Row:
    """A record and where it stands: a line's number, or a file's name."""

    place: str
    record: dict[str, Any]


@dataclass(frozen=True)
class Broken:
    place: str
    why: str


def read(path: Path) -> Iterator[Row | Broken]:
    """The rows of a file or folder, in order.

    Raises:
        ProjectError: it is not there, it can't be read, or it is none of the known formats.
    """
    reader = reader_of(path)
    try:
        for row in reader(path):
            yield row if isinstance(row, Broken) else checked(row)
    except (OSError, EOFError, zlib.error) as error:  # The last two: a .gz that was cut short, or is damaged.
        said = getattr(error, "strerror", None) or first_line(error)
        raise ProjectError(f"{path} can't be read: {said}.") from None


def columns_of(path: Path) -> list[str]:
    """The names of the columns in the first rows; [] where no row can be read."""
    rows = (row.record for row in read(path) if isinstance(row, Row))
    return list(dict.fromkeys(name for row in islice(rows, PEEKED) for name in row))


def check_columns(path: Path, wanted: Iterable[str], names: Sequence[str]) -> None:
    """
    Raises:
        ProjectError: a column is none of the names, those of `columns_of`.
    """
    if names and (absent := [column for column in wanted if column not in names]):
        there = ", ".join(names[:LISTED]) + ", …" * (len(names) > LISTED)
        raise ProjectError(f"There is no column {absent[0]!r} in {path.name}: take one of {there}.")


def checked(row: Row) -> Row | Broken:
    try:
        texts = list(texts_in(row.record))
    except RecursionError:
        return Broken(row.place, "is nested too deeply")
    if (size := sum(map(len, texts))) > LARGEST:
        return Broken(row.place, f"has {size:,} characters; at most {LARGEST:,} are taken")
    return row if all(map(is_utf8, texts)) else Broken(row.place, NOT_UTF8)


def is_utf8(text: str) -> bool:
    """Whether no byte of it became a surrogate when it was read."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def texts_in(value: Any) -> Iterator[str]:
    """Every text of a record, also those within lists and dictionaries, such as the contents of messages."""
    match value:
        case str():
            yield value
        case dict():
            for name, part in value.items():
                yield name
                yield from texts_in(part)
        case list() | tuple():
            for part in value:
                yield from texts_in(part)


def reader_of(path: Path) -> Callable[[Path], Iterator[Row | Broken]]:
    if not path.exists():
        raise ProjectError(f"There is no data at {path}: give a file or a folder.")
    if path.is_dir():
        if (path / "state.json").exists() or (path / "dataset_dict.json").exists():
            return read_dataset
        return read_text_files
    name = path.name.removesuffix(".gz")
    for suffixes, reader in (((".jsonl", ".ndjson", ".json"), read_jsonl), ((".csv", ".tsv"), read_csv)):
        if name.endswith(suffixes):
            return reader
    if name.endswith(".parquet"):
        return read_parquet
    raise ProjectError(f"{path.name} has an unknown format: data is {', '.join(SUFFIXES)}, or a folder.")


def opened(path: Path) -> IO[str]:
    """The file as UTF-8 text; bytes that are none become surrogates, which `checked` finds."""
    raw = gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb")
    with raw:
        start = raw.read(1000)
    for name, marks in BOMS.items():
        if start.startswith(marks):
            raise ProjectError(f"{path.name} is {name}: save it as UTF-8 (`iconv -f {name.lower()} -t utf-8`).")
    if (zero := start.find(0)) >= 0:  # The high byte of a letter comes first in big-endian.
        says = f"{path.name} has zero bytes, so it is UTF-16 or no text at all"
        raise ProjectError(f"{says}: save it as UTF-8 (`iconv -f utf-16{'le' if zero % 2 else 'be'} -t utf-8`).")
    options: dict[str, Any] = {"encoding": "utf-8-sig", "errors": "surrogateescape", "newline": ""}
    return gzip.open(path, "rt", **options) if path.suffix == ".gz" else open(path, **options)


def read_jsonl(path: Path) -> Iterator[Row | Broken]:
    with opened(path) as file:
        if path.name.removesuffix(".gz").endswith(".json") and file.read(200).lstrip().startswith("["):
            raise ProjectError(f"{path.name} is one JSON list: data is one object a line (JSON Lines).")
        file.seek(0)
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            if len(line) > LARGEST:
                yield Broken(str(number), f"has {len(line):,} characters; at most {LARGEST:,} are taken")
                continue
            yield parsed(line, str(number))


def parsed(line: str, place: str) -> Row | Broken:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Broken(place, f"isn't valid JSON: {error}")
    if isinstance(record, dict):
        return Row(place, record)
    return Broken(place, f"is a {type(record).__name__}, not an object")


@contextlib.contextmanager
def wide_fields() -> Iterator[None]:
    """csv refuses fields over 128 KB; ours are measured afterwards, and named."""
    before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def read_csv(path: Path) -> Iterator[Row | Broken]:
    with opened(path) as file, wide_fields():
        delimiter = "\t" if ".tsv" in path.suffixes else ","
        if delimiter == ",":
            with contextlib.suppress(csv.Error):
                delimiter = csv.Sniffer().sniff(file.readline(), delimiters=",;\t").delimiter
            file.seek(0)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        header: list[str] | None = None
        while True:
            start = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                for line in range(start, max(start, reader.line_num) + 1):  # A quote that is left open takes many.
                    yield Broken(str(line), f"isn't valid CSV: {error} (from line {start} on)")
                continue
            if header is None:
                header = [cell.strip() for cell in cells]
                if twice := next((cell for cell in header if header.count(cell) > 1), None):
                    raise ProjectError(f"{path.name} has two columns named {twice!r}: rename one.")
                if not all(map(is_utf8, header)):
                    says = f"{path.name} isn't UTF-8, by its header: save it as UTF-8"
                    raise ProjectError(f"{says} (if it is Latin-1: `iconv -f latin1 -t utf-8`).")
            elif cells and len(cells) != len(header):
                yield Broken(str(start), f"has {len(cells)} cells, and the header has {len(header)}")
            elif cells:
                yield Row(str(start), dict(zip(header, cells, strict=True)))


def read_parquet(path: Path) -> Iterator[Row | Broken]:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        file = parquet.ParquetFile(path)
        rows = (row for batch in file.iter_batches(batch_size=1000) for row in records_of(batch))
        for number, row in enumerate(rows, start=1):
            yield Broken(str(number), row) if isinstance(row, str) else Row(str(number), row)
    except (pa.ArrowException, OSError) as error:
        raise ProjectError(f"{path.name} can't be read as a Parquet file: {first_line(error)}.") from None


def records_of(batch: Any) -> Iterator[dict[str, Any] | str]:
    """The rows of a batch of Arrow; of one that can't be read, the reason."""
    try:
        records = batch.to_pylist()
    except (ValueError, OverflowError) as error:
        if len(batch) == 1:
            yield NOT_UTF8 if isinstance(error, UnicodeDecodeError) else f"can't be read: {first_line(error)}"
            return
        for number in range(len(batch)):
            yield from records_of(batch.slice(number, 1))
        return
    yield from map(decoded, records)


def decoded(value: Any) -> Any:
    """Bytes as text, where they are UTF-8: some programs write texts as binary columns."""
    match value:
        case bytes():
            with contextlib.suppress(UnicodeDecodeError):
                return value.decode()
        case dict():
            return {name: decoded(part) for name, part in value.items()}
        case list():
            return [decoded(part) for part in value]
    return value


def read_dataset(path: Path) -> Iterator[Row | Broken]:
    """A folder that `Dataset.save_to_disk` or `DatasetDict.save_to_disk` has written, all of its parts."""
    from datasets import Dataset, load_from_disk

    try:
        found = load_from_disk(str(path))
    except Exception as error:  # Each kind of damage fails in its own way.
        raise ProjectError(f"{path} can't be read as a folder of `datasets`: {first_line(error)}.") from None
    parts = {"": found} if isinstance(found, Dataset) else found
    for name, part in parts.items():
        labels = {key: kind.names for key, kind in part.features.items() if hasattr(kind, "names")}
        for number, record in enumerate(part, start=1):
            for key, names in labels.items():  # A ClassLabel is kept as a number.
                if isinstance(record[key], int) and 0 <= record[key] < len(names):
                    record[key] = names[record[key]]
            yield Row(f"{name}:{number}" if name else str(number), decoded(record))


def read_text_files(path: Path) -> Iterator[Row | Broken]:
    """One folder for each label, with one text in each .txt file; every other file is one that can't be used."""
    files = sorted(file for file in {*path.rglob("*"), *path.glob("*/*")} if file.is_file())  # rglob follows no links.
    texts = {file for file in files if file.suffix == ".txt" and file.parent.parent == path}
    if not texts:
        raise ProjectError(f"{path} has no texts: make one folder for each label, with .txt files in it.")
    for file in files:
        place = file.relative_to(path).as_posix()
        if file not in texts:
            yield Broken(place, "is no .txt file in the folder of a label")
            continue
        if file.stat().st_size > 4 * LARGEST:
            yield Broken(place, f"has {file.stat().st_size:,} bytes; at most {4 * LARGEST:,} are taken")
            continue
        text = file.read_text(encoding="utf-8-sig", errors="surrogateescape")
        record = {"text": text, "label": file.parent.name}
        yield Broken(place, NOT_UTF8) if "\0" in text else Row(place, record)  # UTF-16 has zero bytes.


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
