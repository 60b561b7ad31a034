"""What a learner's file may be, and what is said of one that can't be used: no model runs here."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.conftest import COURSE
from tests.support.data_steps import WORDS, jsonl, labeled, prepared
from tunelings.project import config as settings
from tunelings.project import folder as files
from tunelings.project import new
from tunelings.project.errors import ProjectError
from tunelings.project.kept import load
from tunelings.project.parts import Parts
from tunelings.project.passages import read_passages
from tunelings.project.rows import Broken, Row, checked, read
from tunelings.project.score import scores


# ---------------------------------------------------------------- formats
def write_csv(path: Path, delimiter: str = ",") -> None:
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([["text", "label"], ["two\nlines, one cell", "a"], ["plain", "b"]])


def write_parquet(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    parquet.write_table(pa.table({"text": ["two\nlines, one cell", "plain"], "label": ["a", "b"]}), path)


def write_dataset(path: Path) -> None:
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features({"text": Value("string"), "label": ClassLabel(names=["a", "b"])})
    Dataset.from_dict({"text": ["two\nlines, one cell", "plain"], "label": [0, 1]}, features=features).save_to_disk(
        path
    )


def write_texts(path: Path) -> None:
    for label, text in (("a", "two\nlines, one cell"), ("b", "plain")):
        (path / label).mkdir(parents=True)
        (path / label / "1.txt").write_text(text, encoding="utf-8")


def write_jsonl(path: Path) -> None:
    jsonl(path, [{"text": "two\nlines, one cell", "label": "a"}, {"text": "plain", "label": "b"}])


@pytest.mark.parametrize(
    ("name", "write"),
    [("d.csv", write_csv), ("d.tsv", lambda path: write_csv(path, "\t")), ("semi.csv", lambda p: write_csv(p, ";")),
     ("d.parquet", write_parquet), ("d", write_dataset), ("d", write_texts), ("d.jsonl", write_jsonl)],
    ids=["csv", "tsv", "semicolons", "parquet", "datasets", "texts", "jsonl"],
)  # fmt: skip
def test_every_kind_of_file_gives_the_same_rows(tmp_path, name, write):
    write(tmp_path / name)
    found = list(read(tmp_path / name))
    assert [(row.record["text"], row.record["label"]) for row in found] == [
        ("two\nlines, one cell", "a"),
        ("plain", "b"),
    ]


def test_broken_lines_are_told_by_their_number(tmp_path):
    path = tmp_path / "d.jsonl"
    good = json.dumps({"text": "x", "label": "a"}).encode()
    huge = json.dumps({"text": "y" * 41_000_000, "label": "a"}).encode()
    path.write_bytes(b"\n".join([good, b"{broken", b'"a text"', b"", b'{"text": "caf\xe9", "label": "a"}', huge, good]))
    found = [(row.place, row.why) if isinstance(row, Broken) else row.place for row in read(path)]
    assert [one if isinstance(one, str) else one[0] for one in found] == ["1", "2", "3", "5", "6", "7"]
    reasons = [one[1] for one in found if not isinstance(one, str)]
    assert reasons[0].startswith("isn't valid JSON: ")
    assert reasons[1:3] == ["is a str, not an object", "is not UTF-8, so save the file as UTF-8"]
    assert reasons[3] == "has 41,000,027 characters; at most 200,000 are taken"


@pytest.mark.parametrize(
    ("text", "why"),
    [("caf\udce9", "is not UTF-8"), ("\ud83d", "is not UTF-8"), ("x" * 200_001, "has 200,024 characters")],
    ids=["Latin-1", "half an emoji", "too long"],
)
def test_a_text_within_messages_is_looked_at_like_any_other(text: str, why: str):
    row = Row("7", {"messages": [{"role": "user", "content": text}]})
    broken = checked(row)
    assert isinstance(broken, Broken) and broken.place == "7" and broken.why.startswith(why)
    assert checked(Row("8", {"messages": [{"role": "user", "content": "caf\u00e9 \U0001f600"}], "id": 3})).place == "8"


def test_a_csv_row_with_a_cell_too_many_is_told_and_the_next_is_read(tmp_path):
    (tmp_path / "d.csv").write_text('text,label\na,b,c\n"x, y",a\n', encoding="utf-8")
    found = list(read(tmp_path / "d.csv"))
    assert found == [Broken("2", "has 3 cells, and the header has 2"), Row("3", {"text": "x, y", "label": "a"})]


def test_a_quote_that_is_left_open_counts_every_line_that_it_takes(tmp_path):
    lines = ["text,label", *(f"row {i},a" for i in range(2, 6)), '"open,a', *(f"row {i},a" for i in range(7, 11))]
    (tmp_path / "d.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = list(read(tmp_path / "d.csv"))
    assert [one.place for one in found if isinstance(one, Row)] == ["2", "3", "4", "5"]
    broken = [one for one in found if isinstance(one, Broken)]
    assert [one.place for one in broken] == ["6", "7", "8", "9", "10"]
    assert broken[4].why == "isn't valid CSV: unexpected end of data (from line 6 on)"


def test_two_columns_of_one_name_are_refused(tmp_path):
    (tmp_path / "d.csv").write_text("text,text,label\na,b,c\n", encoding="utf-8")
    with pytest.raises(ProjectError, match=r"d.csv has two columns named 'text': rename one\."):
        list(read(tmp_path / "d.csv"))


@pytest.mark.parametrize(
    ("name", "says"),
    [("~nosuchuser/d.jsonl", "names a home folder that isn't there"), ("a\0b", "can't be a path: ")],
    ids=["home", "zero byte"],
)
def test_a_name_that_can_be_no_path_is_told(tmp_path, name, says):
    with pytest.raises(ProjectError, match=says):
        files.expanded(name, tmp_path)


@pytest.mark.parametrize(
    ("answer", "label", "is_right"),
    [("-1", "1", 0), ("1", "1", 1), ("C#", "C++", 0), ("C++", "C++", 1), ("", "a", 0), ("a", "a", 1),
     (" Warm. ", "warm", 1), ('"warm".', "warm", 1), ("**warm**", "warm", 1), ("cold", "warm", 0)],
)  # fmt: skip
def test_an_answer_is_right_for_its_own_label_only(answer, label, is_right):
    config = settings.Config.model_validate(
        {"model": "tiny", "data": {"path": "x", "kind": "labels"}, "train": {"technique": "full"},
         "compare": {"metric": "exact_match"}}
    )  # fmt: skip
    row = {"label": label, "answers": [label]}
    labels = ["1", "-1", "C++", "C#", "a", "b", "warm", "cold"]
    assert scores(config, [answer], [row], Parts(COURSE), labels) == [is_right]


def test_passages_are_read_from_a_file_and_from_a_folder(tmp_path):
    jsonl(tmp_path / "p.jsonl", [{"title": "T", "text": "one"}, {"text": "two"}])
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.txt").write_text("three", encoding="utf-8")
    assert read_passages(tmp_path / "p.jsonl") == (["T\none", "two"], [])
    assert read_passages(tmp_path / "p") == (["three"], [])


def test_a_passage_that_cannot_be_read_is_told(tmp_path):
    jsonl(tmp_path / "p.jsonl", [{"text": "one"}, {"text": " "}, {"title": "T"}])
    with open(tmp_path / "p.jsonl", "ab") as file:
        file.write('{"text": "Stra\u00dfe"}\n{"text"\n'.encode("latin-1"))
    found = read_passages(tmp_path / "p.jsonl")
    assert found.texts == ["one", "T"] and [one.place for one in found.left_out] == ["2", "4", "5"]
    assert found.told().startswith("3 of 5 passages left out: 2 has no text; 4 is not UTF-8")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.txt").write_bytes("Stra\u00dfe".encode("latin-1"))
    (tmp_path / "p" / "b.txt").write_text("two", encoding="utf-8")
    assert read_passages(tmp_path / "p").told().startswith("1 of 2 passages left out: a.txt is not UTF-8")


# ---------------------------------------------------------------- preparing
def test_every_row_is_in_a_part_or_counted_as_left_out(tmp_path):
    rows = [*labeled(), {"text": "  ", "label": "a"}, {"text": "no label"}, labeled()[0]]
    found = prepared(jsonl(tmp_path / "d.jsonl", rows), tmp_path)
    left_out = list(files.lines(tmp_path / "work" / "left_out.jsonl"))
    assert found["read"] == 63 == sum(found["written"].values()) + len(left_out)
    assert found["broken"]["first"] == [["61", "text has no text"], ["62", "label is empty"]]
    assert found["duplicates"]["first"] == [["63", ""]]
    assert found["labels"] == {"a": 30, "b": 30}
    assert not (tmp_path / "work" / "rows.jsonl").exists()


def test_a_leak_is_found_and_does_not_stay_in_the_test(tmp_path):
    own = [{"text": f"the {WORDS[i % 10]} words of number {i} are here", "label": "ab"[i % 2]} for i in range(30)]
    long = " ".join(WORDS * 2)
    own.append(
        {"text": f"{long} and then quite a lot of other things that nobody else says at all, {long}", "label": "a"}
    )
    jsonl(tmp_path / "test.jsonl", [{"text": f"{' '.join(WORDS * 2)} is what I ask", "label": "b"}, *labeled(12)])
    found = prepared(jsonl(tmp_path / "d.jsonl", own), tmp_path, test="test.jsonl", duplicates=0.9)
    assert ["test:1", ""] in found["leaks"]["first"]
    assert "test:1" not in [row["id"] for row in load(tmp_path / "work", "test")]
    assert {row["id"][:5] for row in load(tmp_path / "work", "test")} == {"test:"}


def test_several_right_answers_and_an_instruction_are_kept(tmp_path):
    rows = [{"prompt": f"Which {i}?", "completion": f"A{i}", "answers": [f"A{i}", f"B{i}"]} for i in range(60)]
    prepared(jsonl(tmp_path / "d.jsonl", rows), tmp_path, "chat", instruction="Say one name.")
    row = load(tmp_path / "work", "train")[0]
    assert row["answers"][1].startswith("B") and row["messages"][0]["content"].startswith("Say one name.\n\nWhich ")
    assert row["text"].startswith("Which ")


def test_quality_is_counted_and_only_what_the_settings_name_is_dropped(tmp_path):
    rows = [{"prompt": f"Ask {i}", "completion": f"Answer number {i}."} for i in range(60)]
    rows += [{"prompt": "a", "completion": "As an AI language model, no."}, {"prompt": "b", "completion": "<p>x</p>"}]
    found = prepared(jsonl(tmp_path / "d.jsonl", rows), tmp_path, "chat")
    assert found["quality_dropped"] == {"count": 1, "first": [["61", "refusal"]]}
    assert found["quality"] == {"refusal": 1, "markup": 1}


# ---------------------------------------------------------------- what can't be used
@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([], "is empty: there is nothing to learn from"),
        (labeled(1), "has 1 row that can be used: at least 10 are needed"),
        ([{"text": f"{i} x", "label": "same"} for i in range(40)], "All rows have the label 'same'"),
        ([{"text": "", "label": "a"}] * 30, r"None of the 30 rows .* \(row 1: text has no text\)"),
        ([{"text": f"t{i}", "label": f"l{i}"} for i in range(40)], "40 labels for 40 rows"),
        (
            [{"text": f"{i} x", "label": "b" if i % 2 else ""} for i in range(40)],
            r"All rows that can be used \(row 1: label is empty\) have the label 'b'",
        ),
        (
            [{"text": f"{WORDS[i % 4]} x", "label": "ab"[i % 2]} for i in range(40)],
            "has 4 rows that can be used without its 36 repeats: at least 10 are needed",
        ),
    ],
    ids=["nothing", "one row", "one label", "no text", "a label each", "one label that can be read", "repeats"],
)
def test_data_that_teaches_nothing_is_one_line(tmp_path, rows, line):
    with pytest.raises(ProjectError, match=line) as error:
        prepared(jsonl(tmp_path / "d.jsonl", rows), tmp_path)
    assert "\n" not in str(error.value)


def test_labels_that_only_the_test_part_has_are_named(tmp_path):
    jsonl(tmp_path / "test.jsonl", [{"text": "never seen", "label": "z"}])
    with pytest.raises(ProjectError, match="Labels that only the test part has can't be learned: 'z'"):
        prepared(jsonl(tmp_path / "d.jsonl", labeled()), tmp_path, test="test.jsonl")


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("gone.jsonl", None, "There is no data at"),
        ("d.docx", b"x", "has an unknown format"),
        ("d.csv", "text,label\n".encode("utf-16"), "is UTF-16: save it as UTF-8"),
        ("d.json", b'[{"text": 1}]', "is one JSON list"),
        ("d.parquet", b"no parquet", "can't be read as a Parquet file"),
        ("d.jsonl.gz", b"no gzip at all", "can't be read"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path, name, content, line):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ProjectError, match=line) as error:
        list(read(tmp_path / name))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("row", "options", "kind", "columns"),
    [
        ({"text": "x", "category": "y"}, {}, "labels", {"text": "text", "label": "category"}),
        ({"a": "x", "b": "y"}, {"text": "a", "label": "b"}, "labels", {"text": "a", "label": "b"}),
        ({"question": "x", "answer": "y"}, {}, "chat", {"prompt": "question", "completion": "answer"}),
        ({"instruction": "x", "output": "y", "text": "z"}, {}, "chat", {}),
        ({"messages": []}, {}, "chat", {}),
    ],
)
def test_the_columns_say_what_the_data_is(tmp_path, row, options, kind, columns):
    assert new.kind_of(jsonl(tmp_path / "d.jsonl", [row]), options) == (kind, columns)


def test_unknown_columns_are_named_with_the_options(tmp_path):
    path = jsonl(tmp_path / "d.jsonl", [{"a": "x", "b": "y"}])
    with pytest.raises(ProjectError, match="The columns are a, b: say which to use, --text COLUMN"):
        new.kind_of(path, {})
    with pytest.raises(ProjectError, match="There is no column 'c' in d.jsonl: take one of a, b."):
        new.kind_of(path, {"text": "c", "label": "b"})
