"""A project from a learner's file to a report, on a model of random weights: each step in this process, but for one."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path

import pytest
import typer

from tests.support.projects import change, copy_of, parts, project, rows, run
from tunelings.commands import project as command
from tunelings.project import config as settings
from tunelings.project import folder as files
from tunelings.project import steps as running
from tunelings.project.errors import PartError, ProjectError
from tunelings.project.folder import Folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Folder:
    """A whole project: every step is done, and the report is written."""
    from tunelings.project import report

    path = tmp_path_factory.mktemp("projects") / "colors"
    path.mkdir()
    broken = '{"prompt": "no end"\n{"prompt": "and no answer", "completion": ""}\n'
    lines = "".join(json.dumps(row) + "\n" for row in [*rows(), rows()[0]])
    folder = project(path, lines + broken)
    run(folder, *running.STEPS)
    report.write(folder, settings.load(folder))
    return folder


def test_the_look_counts_what_is_broken_and_what_repeats_and_names_the_rows(finished):
    look = (finished.path / "look.txt").read_text(encoding="utf-8")
    assert "2 broken: row 122 " in look and "row 123 completion has no text" in look
    assert "1 repeats: row 121" in look
    assert "your code: 0 of" in look
    text = finished.settings.read_text(encoding="utf-8")
    assert 'technique = "full"  #' in text and 'metric = "exact_match"  # short answers' in text


def test_every_step_leaves_a_result_and_no_work_behind(finished):
    config = settings.load(finished)
    assert running.to_run(finished, config, None, mine=False, again=False) == []
    assert sorted(path.name for path in (finished.path / "steps").iterdir()) == sorted(running.STEPS)
    data = finished.result("data")
    assert sum(data["written"].values()) == 120 - data["leaks"]["count"]
    assert data["broken"]["count"] == 2 and data["duplicates"]["count"] == 1
    left_out = list(files.lines(finished.done("data") / "left_out.jsonl"))
    assert len(left_out) == 3 + data["leaks"]["count"]


def test_no_row_is_in_two_parts(finished):
    texts = [
        row["text"]
        for name in ("train", "validation", "test")
        for row in files.lines(finished.done("data") / f"{name}.jsonl")
    ]
    assert len(texts) == len(set(texts))


def test_the_model_learns_and_the_curves_are_kept(finished):
    curves = list(files.lines(finished.done("train") / "curves.jsonl"))
    losses = [row["val_loss"] for row in curves if "val_loss" in row]
    assert len(losses) >= 3 and losses[-1] < 0.8 * losses[0]
    assert [row["step"] for row in curves if "loss" in row] == list(range(1, 13))


def test_the_report_says_the_verdict_whose_code_ran_and_shows_its_pictures(finished):
    markdown = (finished.report / "report.md").read_text(encoding="utf-8")
    html = (finished.report / "report.html").read_text(encoding="utf-8")
    verdict = finished.result("compare")["verdict"]["sentence"]
    assert f"**{verdict}**" in markdown and "Your code: 0 of" in markdown
    assert "row 122" not in markdown and "122 (" in markdown
    assert html.count("data:image/png;base64,") == 2 and "<table>" in html
    assert "What was forgotten" in markdown and "| majority |" in markdown and "| few-shot prompt |" in markdown


@pytest.mark.parametrize("text", ["a < b & c > d", "<b>x</b>", "&lt; is written so", r"`x` | *y* _z_ # {q} [r](s) \ <"])
def test_a_text_stands_in_the_page_as_it_is(tmp_path, text):
    from tunelings.project import report

    page = report.page(Folder(tmp_path), f"| asked |\n|---|\n| {report.cell(text)} |\n")
    cells = re.findall("<td>(.*)</td>", page)
    assert [html.unescape(one) for one in cells] == [text] and "<" not in cells[0]


def test_a_loss_that_was_still_falling_at_the_end_is_said_to_be_so(finished, tmp_path):
    from tunelings.project import report

    says = "The validation loss was at its lowest at the last update: more of them"
    folder = copy_of(finished, tmp_path)
    for last, is_said in ((0.0, True), (99.0, False)):
        curves = folder.done("train") / "curves.jsonl"
        files.append_line(curves, {"step": 13, "val_loss": last})
        report.write(folder, settings.load(folder))
        assert (says in (folder.report / "report.md").read_text(encoding="utf-8")) == is_said


def test_the_export_is_a_plain_model_that_says_what_the_trained_one_says(finished):
    from tunelings.project import base
    from tunelings.project.ask import generator, prompt_of

    merged = finished.done("export") / "merged"
    model = base.load_causal(merged)
    tokenizer = base.tokenizer_of(merged, is_chat=True)
    test = [json.loads(line) for line in (finished.done("data") / "test.jsonl").open(encoding="utf-8")]
    ask = generator(parts(), model, tokenizer, settings.load(finished).compare.max_new_tokens)
    said = finished.result("compare")["systems"]
    answers = [row["answers"] for row in files.lines(finished.done("compare") / "customized.jsonl")]
    assert ask([prompt_of(row) for row in test]) == [text for batch in answers for text in batch]
    assert said["customized"]["tokens_read"] > 0
    assert not list(merged.glob("*.bin"))


def test_an_export_onto_a_full_disk_is_one_line_and_the_older_one_stays(finished, tmp_path, monkeypatch):
    folder = copy_of(finished, tmp_path)

    def copytree(*args, **options):
        raise shutil.Error([("a", "b", "[Errno 28] No space left on device")])

    monkeypatch.setattr(shutil, "copytree", copytree)
    with pytest.raises(ProjectError, match=r"The disk is full at .*: make room and run it again; steps that are done"):
        run(folder, "export")
    assert (folder.done("export") / "merged" / "config.json").exists()


def test_the_cards_are_what_the_hub_reads(finished):
    from huggingface_hub import DatasetCard, ModelCard

    card = ModelCard.load(finished.done("export") / "merged" / "README.md")
    assert card.data.library_name == "transformers" and card.data.eval_results[0].metric_type == "exact_match"
    assert finished.result("compare")["verdict"]["sentence"] in card.text
    data = DatasetCard.load(finished.done("export") / "data" / "README.md")
    assert data.data.configs[0]["data_files"][0] == {"split": "train", "path": "train.jsonl"}
    assert "FROM ./merged" in (finished.done("export") / "Modelfile").read_text(encoding="utf-8")


def test_a_changed_setting_runs_what_it_concerns_again_and_nothing_else(finished, tmp_path):
    folder = copy_of(finished, tmp_path)
    change(folder, "lr = 0.003", "lr = 0.004")
    config = settings.load(folder)
    assert running.to_run(folder, config, None, mine=False, again=False) == ["train", "compare", "export"]
    change(folder, "margin = 0.05", "margin = 0.1")
    config = settings.load(folder)
    assert running.to_run(folder, config, "baseline", mine=False, again=False) == []
    assert running.to_run(folder, config, "baseline", mine=False, again=True) == ["baseline"]


def test_settings_edited_into_nonsense_are_one_line_and_the_steps_stay(finished, tmp_path):
    folder = copy_of(finished, tmp_path)
    for old, new, line in [
        ("lr = 0.003", 'lr = "fast"', "train.lr"),
        ("lr = ", "learning_rate = ", "train.learning_rate: there is no such setting"),
        ("[train]", "[train", "isn.t valid TOML"),
        ("fractions = [0.8, 0.1, 0.1]", "fractions = [0.8, 0.8, 0.1]", "add up to 1"),
        ('language = "en"', 'language = "xx"', "data.language .*'en', 'de'"),
        ('drop = ["empty"', 'drop = ["nonsense"', "data.drop.0"),
        ("fractions = [0.8, 0.1, 0.1]", "fractions = [nan, nan, nan]", "add up to 1"),
        ("seed = 0", "seed = 99999999999", "data.seed"),
        ("columns = {}", 'columns = { text = "x" }', "data.columns.text: with .* there are prompt and completion"),
        ('head = "answer"', 'head = "classifier"', 'train.head = "classifier" needs texts with labels'),
    ]:
        before = folder.settings.read_text(encoding="utf-8")
        change(folder, old, new)
        with pytest.raises(ProjectError, match=line) as error:
            settings.load(folder)
        assert "\n" not in str(error.value) and "steps that are done are kept" in str(error.value)
        folder.settings.write_text(before, encoding="utf-8")
    assert folder.result("train") is not None


def test_a_judge_reads_pairs_by_5_07_and_its_failures_are_counted(finished, tmp_path):
    """The tiny model is no judge: none of its replies names a winner."""
    from tunelings.project import report

    folder = copy_of(finished, tmp_path)
    change(folder, 'judge = ""', 'judge = "tiny"')
    assert running.to_run(folder, settings.load(folder), "compare", mine=False, again=False) == ["compare"]
    run(folder, "compare")
    compared = folder.result("compare")
    assert compared["judged"]["failures"] > 0 == compared["judged"]["wins"] and "5.07" in compared["parts"]
    report.write(folder, settings.load(folder))
    assert "**The judge** (tiny) preferred" in (folder.report / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('passages = ""', 'passages = "gone.jsonl"', "data.passages: there is nothing at .*gone.jsonl."),
        ('judge = ""', 'judge = "nobody"', "nobody is neither a folder nor one of the course.s models"),
        ("processes = 1", "processes = 1000", "train.processes: 1000 are too many for"),
        ('accelerate_config = ""', 'accelerate_config = "gone.yaml"', "train.accelerate_config: there is no file"),
        ('accelerate_config = ""', 'accelerate_config = "bad.yaml"', "bad.yaml isn't valid YAML: while parsing"),
    ],
)
def test_what_the_settings_name_and_is_not_there_is_told_before_any_step(finished, tmp_path, old, new, line):
    folder = copy_of(finished, tmp_path)
    running.check(folder, settings.load(folder))
    (folder.path / "bad.yaml").write_text("processes: [1, 2", encoding="utf-8")
    change(folder, old, new)
    with pytest.raises(ProjectError, match=line):
        running.check(folder, settings.load(folder))


def test_a_new_that_fails_keeps_the_log_that_it_names_and_nothing_else(tmp_path, monkeypatch, capsys):
    folder = Folder(tmp_path / "p")

    def fails(error: Exception):
        def run_apart(folder, step, hear, *, mine):
            folder.log(step).parent.mkdir(exist_ok=True)
            folder.log(step).write_text("Traceback", encoding="utf-8")
            (folder.path / "data.jsonl").touch()
            raise error

        monkeypatch.setattr(running, "run_apart", run_apart)

    fails(PartError(f"its log is {folder.log('new')}"))
    for _ in range(2):  # The folder that a failure has left is not the learner's own.
        with pytest.raises(typer.Exit):
            command.new(str(folder.path), data="d.jsonl")
        named = Path(capsys.readouterr().err.removeprefix("its log is ").strip())
        assert named.read_text(encoding="utf-8") == "Traceback"
        assert set(folder.path.rglob("*")) == {named, named.parent}
    fails(ProjectError("no good"))
    with pytest.raises(ProjectError):
        command.new(str(folder.path), data="d.jsonl")
    assert not folder.path.exists()
    folder.path.mkdir()
    with pytest.raises(ProjectError):
        command.new(str(folder.path), data="d.jsonl")
    assert folder.path.exists(), "it was the learner's, though empty"
