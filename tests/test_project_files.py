"""Files in another encoding, damaged ones, and files that are none of a project's: counted, or refused in one line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.support.data_steps import jsonl, labeled, prepared
from tunelings.project.errors import ProjectError
from tunelings.project.rows import NOT_UTF8, Broken, Row, checked, read

NOTHING_ELSE = b'{"text": "caf\xc3\xa9", "label": "a"}\n'
CSV = "text,label\ncafé,a\n"
CYRILLIC = "текст,метка\nда,a\n"  # Its first zero byte is that of the comma.


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("d.csv", CSV.encode("utf-16-le"), "d.csv has zero bytes, .*`iconv -f utf-16le -t utf-8`"),
        ("d.csv", CSV.encode("utf-16-be"), "d.csv has zero bytes, .*`iconv -f utf-16be -t utf-8`"),
        ("d.csv", CYRILLIC.encode("utf-16-le"), "d.csv has zero bytes, .*`iconv -f utf-16le -t utf-8`"),
        ("d.csv", CSV.encode("utf-32"), "d.csv is UTF-32: save it as UTF-8 .`iconv -f utf-32 -t utf-8`"),
        ("d.jsonl", NOTHING_ELSE.decode().encode("utf-16-le"), "d.jsonl has zero bytes, so it is UTF-16 or no text"),
        ("d.csv", "größe,label\nx,a\n".encode("latin-1"), "d.csv isn't UTF-8, by its header: .*iconv -f latin1"),
        ("d.jsonl.gz", gzip.compress(NOTHING_ELSE * 5000)[:-20], "d.jsonl.gz can't be read: Compressed file ended"),
    ],
    ids=["UTF-16LE", "UTF-16BE", "Cyrillic", "UTF-32", "UTF-16 JSONL", "Latin-1 header", "cut short"],
)
def test_a_file_in_another_encoding_is_one_line(tmp_path, name, content, line):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ProjectError, match=line) as error:
        list(read(tmp_path / name))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (b'{"text": "x", "label": "a", "caf\xe9": 1}', NOT_UTF8),
        (b'{"messages": [{"role": "user", "content": "' + b"x" * 1_000_000 + b'"}]}', "at most 200,000 are taken"),
    ],
    ids=["a name in Latin-1", "a long cell within messages"],
)
def test_such_a_line_is_broken_and_the_others_are_read(tmp_path, broken, why):
    (tmp_path / "d.jsonl").write_bytes(NOTHING_ELSE + broken + b"\n" + NOTHING_ELSE)
    first, second, third = read(tmp_path / "d.jsonl")
    assert isinstance(first, Row) and isinstance(third, Row)
    assert isinstance(second, Broken) and second.place == "2" and why in second.why


def test_a_row_that_is_nested_too_deeply_is_broken():
    nested: list = []
    for _ in range(5000):
        nested = [nested]
    assert checked(Row("3", {"text": nested})) == Broken("3", "is nested too deeply")


def write_parquet(path: Path, values: list[bytes], *, as_text: bool, label: str = "a") -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    column = pa.array(values, pa.binary())
    if as_text:  # As a program does that doesn't check what it writes.
        column = pa.Array.from_buffers(pa.string(), len(values), column.buffers())
    parquet.write_table(pa.table({"text": column, "label": [label] * len(values)}), path)


def test_a_text_column_of_parquet_that_is_not_utf8_breaks_its_own_rows_alone(tmp_path):
    write_parquet(tmp_path / "d.parquet", [b"one", b"caf\xe9", b"three"], as_text=True)
    assert [row.place if isinstance(row, Row) else (row.place, row.why) for row in read(tmp_path / "d.parquet")] == [
        "1",
        ("2", NOT_UTF8),
        "3",
    ]


def test_texts_in_a_binary_column_of_parquet_are_read_where_they_are_utf8(tmp_path):
    values = [f"café {i}".encode() for i in range(30)] + [b"caf\xe9"]
    write_parquet(tmp_path / "d.parquet", values, as_text=False)
    with pytest.raises(
        ProjectError, match=r"All rows that can be used \(row 31: text is not UTF-8, .*\) have the label"
    ):
        prepared(tmp_path / "d.parquet", tmp_path)


def test_rows_of_parquet_whose_label_is_not_a_number_have_no_label(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as parquet

    rows = labeled()
    table = pa.table(
        {"text": [row["text"] for row in rows], "label": [float(i % 3) for i in range(59)] + [float("nan")]}
    )
    parquet.write_table(table, tmp_path / "d.parquet")
    assert prepared(tmp_path / "d.parquet", tmp_path)["broken"]["first"] == [["60", "label is empty"]]


def test_files_that_are_no_texts_of_a_label_are_counted_and_named(tmp_path):
    folder = tmp_path / "texts"
    for i, row in enumerate(labeled(20)):
        (folder / row["label"]).mkdir(parents=True, exist_ok=True)
        (folder / row["label"] / f"{i}.txt").write_text(row["text"], encoding="utf-8")
    (folder / "a" / "deeper").mkdir()
    others = ("README.md", "a/1.md", "a/deeper/1.txt", "root.txt")
    for name in others:
        (folder / name).write_text("x", encoding="utf-8")
    (folder / "b" / "utf16.txt").write_text("text", encoding="utf-16-le")
    found = prepared(folder, tmp_path)
    assert found["read"] == 25 and sum(found["written"].values()) == 20
    assert found["broken"]["first"] == [
        *([name, "is no .txt file in the folder of a label"] for name in others[:3]),
        ["b/utf16.txt", NOT_UTF8],
        ["root.txt", "is no .txt file in the folder of a label"],
    ]


@pytest.mark.parametrize("kind", ["labels", "chat"])
def test_a_column_that_the_settings_name_and_is_not_there_is_told_with_those_that_there_are(tmp_path, kind):
    jsonl(tmp_path / "d.jsonl", labeled())
    columns = {"label": "nope"} if kind == "labels" else {"prompt": "text", "completion": "nope"}
    with pytest.raises(ProjectError, match=r"There is no column 'nope' in d.jsonl: take one of text, label\.$"):
        prepared(tmp_path / "d.jsonl", tmp_path, kind, columns=columns)


def test_a_test_file_with_other_columns_is_named(tmp_path):
    jsonl(tmp_path / "d.jsonl", labeled())
    jsonl(tmp_path / "t.jsonl", [{"words": "x", "label": "a"}])
    with pytest.raises(ProjectError, match=r"There is no column 'text' in t.jsonl: take one of words, label\.$"):
        prepared(tmp_path / "d.jsonl", tmp_path, test="t.jsonl")
