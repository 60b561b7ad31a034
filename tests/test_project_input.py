"""Bad input as typed: one line that says what and what to do, exit code 2, and what was there stays.

    pytest tests/test_project_input.py -m sweep

Which line comes for which file is tested in test_project_data.py too, in milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.projects import rows, tunelings
from tunelings.project import base
from tunelings.project import folder as files
from tunelings.project.folder import Folder

pytestmark = pytest.mark.sweep


def lines(*records: dict) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def labeled(*labels: str) -> list[dict]:
    return [{"text": f"text number {i}", "label": labels[i % len(labels)]} for i in range(40)]


HUGE = {"prompt": "x" * 40_000_000, "completion": "y"}
CASES = {
    "no file": (None, "There is no data at "),
    "no data": (b"", "data.jsonl is empty: there is nothing to learn from."),
    "one row": (
        lines(rows(1)[0]),
        "data.jsonl has 1 row that can be used: at least 10 are needed, and 100 or more are better.",
    ),
    "all labels equal": (lines(*labeled("same")), "All rows have the label 'same': there is nothing to tell apart."),
    "latin-1": (
        b'{"prompt": "caf\xe9", "completion": "\xe9"}\n' * 20,
        "None of the 20 rows of data.jsonl can be used (row 1: is not UTF-8, so save the file as UTF-8).",
    ),
    "Latin-1, in the header": (
        "größe,label\nx,a\n".encode("latin-1"),
        "data.csv isn't UTF-8, by its header: save it",
    ),
    "UTF-16 without a mark": (
        lines(*rows()).decode().encode("utf-16-le"),
        "data.jsonl has zero bytes, so it is UTF-16 or no text at all: save it as UTF-8 (`iconv -f utf-16le -t utf-8`)",
    ),
    "UTF-16": (lines(*rows()).decode().encode("utf-16"), "data.jsonl is UTF-16: save it as UTF-8"),
    "a model that is nowhere": (lines(*rows()), "nobody/nothing can't be downloaded from the Hub ("),
    "no chat template": (lines(*rows()), "plain has no chat template: take a chat model (…-Instruct), or put its"),
}


def has_one_line(done, line: str) -> bool:
    return done.returncode == 2 and done.stderr.startswith(line) and done.stderr.count("\n") == 1


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_used_leaves_no_project_behind(tmp_path, case):
    content, line = CASES[case]
    data, model = tmp_path / ("data.csv" if "header" in case else "data.jsonl"), "tiny"
    if content is not None:
        data.write_bytes(content)
    if case == "no chat template":
        model = str(base.make_tiny(tmp_path / "plain"))
        (tmp_path / "plain" / "chat_template.jinja").unlink()
    if case == "a model that is nowhere":
        model = "nobody/nothing"
    place = tmp_path / "p"
    done = tunelings(
        "project", "new", str(place), "--data", str(data), "--model", model, HF_ENDPOINT="http://127.0.0.1:9"
    )
    assert has_one_line(done, line), (done.returncode, done.stderr)
    assert not place.exists()


def test_labels_that_only_the_test_part_has_are_named(tmp_path):
    (tmp_path / "d.jsonl").write_bytes(lines(*labeled("a", "b")))
    (tmp_path / "t.jsonl").write_bytes(lines({"text": "never seen", "label": "z"}))
    data = ("--data", str(tmp_path / "d.jsonl"), "--test", str(tmp_path / "t.jsonl"))
    done = tunelings("project", "new", str(tmp_path / "p"), *data, "--model", "tiny")
    assert has_one_line(done, "Labels that only the test part has can't be learned: 'z'."), done.stderr


def write_parquet(path: Path, records: list[dict]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    parquet.write_table(pa.Table.from_pylist(records), path)


def as_messages(record: dict) -> dict:
    turns = (("user", record["prompt"]), ("assistant", record["completion"]))
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


@pytest.mark.parametrize("name", ["d.jsonl", "d.csv", "nested.jsonl", "nested.parquet"])
def test_forty_megabytes_in_one_cell_are_counted_and_the_rest_is_used(tmp_path, name):
    path, records = tmp_path / name, [*rows(60), HUGE]
    if path.stem == "nested":
        records = [as_messages(record) for record in records]
    if path.suffix == ".jsonl":
        path.write_bytes(lines(*records))
    elif path.suffix == ".parquet":
        write_parquet(path, records)
    else:
        cells = [f"{row['prompt']},{row['completion']}" for row in records]
        path.write_text("\n".join(["prompt,completion", *cells]), encoding="utf-8")
    done = tunelings("project", "new", str(tmp_path / "p"), "--data", str(path), "--model", "tiny")
    assert done.returncode == 0, done.stderr
    row = 62 if path.suffix == ".csv" else 61
    assert f"1 broken: row {row} has 40,000,0" in done.stdout and "at most 200,000 are taken" in done.stdout


EDITS: dict[str, tuple[Callable[[Folder], None], str]] = {
    "nonsense": (
        lambda folder: folder.settings.write_text("lr = = fast", encoding="utf-8"),
        "project.toml isn't valid TOML: ",
    ),
    "an unknown key": (
        lambda folder: edit(folder, "lr = ", "learning_rate = "),
        "project.toml: train.learning_rate: there is no such setting. The steps that are done are kept.",
    ),
    "a value that can't be": (
        lambda folder: edit(folder, "batch_size = 4", "batch_size = -4"),
        "project.toml: train.batch_size (-4): must be a whole number from 1 to 1024. The steps that are done are kept.",
    ),
    "a value beyond all measure": (
        lambda folder: edit(folder, "max_new_tokens = ", f"max_new_tokens = 1{'0' * 30}  # "),
        "project.toml: compare.max_new_tokens (1000000000000000000000000000000): must be a whole number from ",
    ),
    "a column that is not there": (
        lambda folder: edit(folder, "columns = {}", 'columns = { prompt = "nope" }'),
        "There is no column 'nope' in d.jsonl: take one of prompt, completion.",
    ),
    "another model": (
        lambda folder: edit(folder, 'model = "tiny"', 'model = "/nowhere"'),
        "neither a folder nor one of the course's models",
    ),
    "the data is gone": (lambda folder: Path(folder.path.parent / "d.jsonl").unlink(), "The data at "),
}


def edit(folder: Folder, old: str, new: str) -> None:
    text = folder.settings.read_text(encoding="utf-8")
    assert old in text
    folder.settings.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("case", EDITS)
def test_settings_that_were_edited_keep_the_steps_that_are_done(tmp_path, case):
    files.write_lines(tmp_path / "d.jsonl", rows(60))
    folder = Folder(tmp_path / "p")
    for words in (("new", str(folder.path), "--data", str(tmp_path / "d.jsonl"), "--model", "tiny"),
                  ("run", str(folder.path), "data")):  # fmt: skip
        assert tunelings("project", *words).returncode == 0
    before = folder.result("data")
    change, line = EDITS[case]
    change(folder)
    done = tunelings("project", "run", str(folder.path))
    assert done.returncode == 2 and line in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert folder.result("data") == before
