"""What max_length cuts, said by the look as by the data step; and the range of each number in project.toml."""

from __future__ import annotations

import pytest

from tests.support.data_steps import jsonl, prepared
from tests.support.projects import change, project, run
from tunelings.commands import project as command
from tunelings.project import config as settings
from tunelings.project.errors import ProjectError
from tunelings.project.folder import Folder

COLORS = ("red", "green", "blue")


def pairs(count: int = 100) -> list[dict]:
    """Short pairs, but for every 40th: row 40 has a long question, and row 80 a long answer."""
    rows = [{"prompt": f"{i:03} {COLORS[i % 3]}", "completion": COLORS[i % 3].upper()} for i in range(1, count + 1)]
    rows[39]["prompt"] += "".join(f" and word {i}" for i in range(40))
    rows[79]["completion"] += "".join(f" and word {i}" for i in range(40)) + "."
    return rows


CUT = "1 {} at {} tokens: row 80"
EMPTY = "1 left out, with nothing of the answer left within {} tokens: row 40"


def test_the_look_says_what_the_max_length_that_it_writes_would_cut(tmp_path):
    folder = project(tmp_path, pairs())
    limit = settings.load(folder).data.max_length
    assert limit < 100, "the long rows are cut, and decide nothing"
    look = (folder.path / "look.txt").read_text(encoding="utf-8")
    assert f"  {CUT.format('would be cut', limit)}\n  {EMPTY.format(limit)}\n" in look
    run(folder, "data")
    told = command.told(folder.result("data") or {}, "data")
    assert f"; {CUT.format('cut', limit)}; {EMPTY.format(limit)} · " in told
    change(folder, f"max_length = {limit}", "max_length = 4000")
    run(folder, "data")
    assert " cut " not in command.told(folder.result("data") or {}, "data")


def test_the_instruction_of_a_label_counts_in_what_is_cut(tmp_path):
    rows = [{"text": f"{i:03} {COLORS[i % 3]}", "label": COLORS[i % 3]} for i in range(60)]
    folder = project(tmp_path, rows)
    config = settings.load(folder)
    assert config.data.instruction == "Which label fits this text: blue, green, red? Answer with the label alone."
    run(folder, "data")
    tokens = (folder.result("data") or {})["tokens"]
    assert tokens["cut"] == 0 and 0 <= tokens["limit"] - tokens["max"] < 16, "as few more tokens as make it even"
    written = (folder.done("data") / "train.jsonl").read_text(encoding="utf-8")
    assert written.count(config.data.instruction) == written.count("\n")


def test_a_limit_that_leaves_too_few_rows_is_named(tmp_path):
    rows = [{"prompt": "x" * (10 if i < 5 else 100) + f" {i}", "completion": "yes"} for i in range(30)]
    with pytest.raises(ProjectError, match="d.jsonl has 5 rows that can be used at max_length = 40: at least 10 are"):
        prepared(jsonl(tmp_path / "d.jsonl", rows), tmp_path, "chat", max_length=40)


# ---------------------------------------------------------------- ranges
WHOLE = {
    "data.max_length": (8, 131_072), "data.seed": (0, 2**32 - 1),
    "train.r": (1, 1024), "train.lora_alpha": (1, 4096), "train.epochs": (1, 1_000_000),
    "train.max_steps": (1, 100_000_000), "train.batch_size": (1, 1024), "train.accumulation": (1, 65_536),
    "train.evaluate_every": (1, 100_000_000), "train.patience": (1, 1_000_000), "train.processes": (1, 1024),
    "train.seed": (0, 2**32 - 1), "compare.items": (1, 1_000_000), "compare.shots": (0, 100),
    "compare.max_new_tokens": (1, 131_072), "compare.batch_size": (1, 1024), "compare.seed": (0, 2**32 - 1),
}  # fmt: skip
REAL = {
    "data.duplicates": "a number above 0, at most 1", "train.lr": "a number above 0, at most 1",
    "train.warmup": "a number from 0, under 1", "compare.margin": "a number above 0, under 1",
}  # fmt: skip
RANGES = {name: f"a whole number from {low} to {high}" for name, (low, high) in WHOLE.items()} | REAL
NONSENSE = ("1" + "0" * 30, "-1", "0", '"abc"', "nan", "inf", "true", "[1]", "1e300")
MAY_BE_ZERO = ("data.seed", "train.seed", "compare.seed", "compare.shots", "train.warmup")
TEXT = {
    "data": 'path = "x"\nkind = "chat"\n', "train": 'technique = "lora"\n', "compare": 'metric = "exact_match"\n'
}  # fmt: skip


def written(folder: Folder, name: str, value: str) -> Folder:
    """A project.toml in which one setting has this value."""
    section, key = name.split(".")
    parts = [f"[{one}]\n{text}{f'{key} = {value}' if one == section else ''}\n" for one, text in TEXT.items()]
    folder.settings.write_text('model = "tiny"\n' + "".join(parts), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", RANGES)
def test_a_number_out_of_its_range_is_one_line_that_names_the_range(tmp_path, name):
    folder = Folder(tmp_path)
    for value in NONSENSE:
        if value == "0" and name in MAY_BE_ZERO:
            settings.load(written(folder, name, value))
            continue
        with pytest.raises(ProjectError) as error:
            settings.load(written(folder, name, value))
        says = str(error.value)
        assert says.startswith(f"{folder.settings}: {name} (") and f"): must be {RANGES[name]}. The steps" in says
        assert "\n" not in says and len(says) < 250


@pytest.mark.parametrize("name", WHOLE)
def test_the_ends_of_a_range_are_within_it(tmp_path, name):
    for value in WHOLE[name]:
        settings.load(written(Folder(tmp_path), name, str(value)))


def test_every_number_of_the_settings_has_a_range():
    numbers = {
        f"{section}.{name}"
        for section, kind in (("data", settings.Data), ("train", settings.Train), ("compare", settings.Compare))
        for name, field in kind.model_fields.items()
        if field.annotation in (int, float)
    }
    assert numbers == set(RANGES)


@pytest.mark.parametrize(
    "value", ['[0.8, "abc", 0.1]', "[1, 0, 0]", "[0.8, 0.1]", "[0.5, 0.1, 0.1]", "3", "[true, 0.1, 0.1]", "[inf, 1, 1]"]
)
def test_fractions_that_cannot_be_are_one_line(tmp_path, value):
    with pytest.raises(
        ProjectError, match=r"data\.fractions.* \(.*\): must be three numbers above 0 that add up to 1\."
    ):
        settings.load(written(Folder(tmp_path), "data.fractions", value))


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000], ids=["5,000 digits", "5,000 brackets"])
def test_what_the_reader_of_toml_gives_up_on_is_one_line(tmp_path, value):
    with pytest.raises(ProjectError, match=r"isn't valid TOML: .* The steps that are done are kept\.$"):
        settings.load(written(Folder(tmp_path), "train.lr", value))
