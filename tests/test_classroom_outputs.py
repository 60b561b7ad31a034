"""What `tunelings grade` writes: every format is read back, by what its readers use where there is such a thing."""

from __future__ import annotations

import csv
import io
import json
import stat
from pathlib import Path

import pytest

from tests.support import classes
from tests.support.classes import NO_ZERO_GRAD, ONE, TWO
from tunelings.classroom import csvfiles, feedback, outputs, pseudonyms
from tunelings.classroom.records import Class, Graded, Outcome
from tunelings.classroom.table import Table
from tunelings.course import CourseError

NAMES = {"s1": "Ann Lee", "s2": "=cmd()", "s3": "Zoë", "s4": "Émile"}


@pytest.fixture
def klass() -> Class:
    """s1 passes both, s2 makes a mistake that has a name, s3 one without, and s4 has handed in nothing good."""
    named = classes.failure(mistakes=(NO_ZERO_GRAD,))
    return classes.klass(
        [
            classes.passed("s1"), classes.passed("s1", TWO),
            classes.failed("s2", why=named), classes.passed("s2", TWO, late=True),
            classes.failed("s3", why=classes.failure(got="`````\n## s1 `x`")),
            classes.outcome("s3", Outcome.MISSING, TWO),
            classes.outcome("s4", Outcome.REFUSED, reason="=the zip holds ../evil"),
            classes.outcome("s4", Outcome.NO_VERDICT, TWO),
        ],
        seed=3,
    )  # fmt: skip


@pytest.fixture
def out(klass: Class, tmp_path: Path) -> Path:
    outputs.write_all(klass, tmp_path / "out", names=NAMES, points="all")
    return tmp_path / "out"


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_results_has_a_row_for_each_student_and_exercise(out: Path):
    found = {(row["student"], row["exercise"]): row for row in rows(out / "results.csv")}
    assert len(found) == 8
    assert found["s1", ONE]["outcome"] == "passed" and found["s1", ONE]["points"] == "1"
    two = found["s2", ONE]
    assert (two["mistakes"], two["check"], two["what"], two["state"]) == (
        "no-zero-grad", "test_two", "the weight", "failed")  # fmt: skip
    assert (two["checks_passed"], two["checks"], two["seconds"]) == ("1", "2", "4.00")
    assert found["s4", ONE]["reason"] == "'=the zip holds ../evil" and found["s4", ONE]["seconds"] == ""
    assert {row["isolation"] for row in found.values()} == {"bwrap"}


def test_grades_has_a_row_for_each_student_and_says_what_is_open(out: Path):
    found = {row["student"]: row for row in rows(out / "grades.csv")}
    assert found["s1"] == {"student": "s1", ONE: "1", TWO: "1", "points": "2", "out_of": "2", "percent": "100.00",
                           "passed": "2", "late": "", "status": "graded"}  # fmt: skip
    assert found["s2"]["points"] == "1" and found["s2"]["late"] == "yes"
    assert found["s4"]["points"] == "0" and found["s4"]["status"] == "no verdict: 1.06"


def test_a_row_that_is_missing_is_no_pass(klass: Class):
    table = Table(Class(klass.students, klass.exercises, klass.rows[1:]))
    assert table.row("s1", ONE).outcome == Outcome.NO_VERDICT and table.row("s1", ONE).points == 0
    assert csvfiles.results(table).count("\n") == 9


def test_two_rows_for_one_exercise_or_a_stranger_are_an_error(klass: Class):
    with pytest.raises(ValueError, match="two rows"):
        Table(Class(klass.students, klass.exercises, (*klass.rows, klass.rows[0])))
    with pytest.raises(ValueError, match="s9"):
        Table(Class(klass.students, klass.exercises, (*klass.rows, Graded("s9", ONE, Outcome.PASSED, 1.0))))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str):
    (row,) = csv.reader(io.StringIO(csvfiles.text_of([], [[text, -1]]).split("\n", 1)[1]))
    assert row[0].startswith("'") and row[1] == "-1"


def test_names_stand_in_the_key_alone_and_it_is_private(out: Path):
    assert rows(out / "key.csv")[:2] == [{"student": "s1", "name": "Ann Lee"}, {"student": "s2", "name": "'=cmd()"}]
    assert stat.S_IMODE((out / "key.csv").stat().st_mode) == 0o600
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    others = [path for path in out.rglob("*") if path.is_file() and path.name != "key.csv"]
    assert not [path for path in others for name in ("Ann Lee", "ann-lee") if name in path.read_text("utf-8")]
    assert (out / ".gitignore").read_text(encoding="utf-8").endswith("\n*\n")


def test_a_key_that_was_open_to_others_is_closed(klass: Class, out: Path):
    (out / "key.csv").chmod(0o644)
    outputs.write_all(klass, out, names=NAMES)
    assert stat.S_IMODE((out / "key.csv").stat().st_mode) == 0o600


def test_the_manifest_is_kept_with_how_points_were_given(out: Path):
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest == {"isolation": "bwrap", "points": "all", "seed": 3}


def test_feedback_says_what_the_student_would_have_seen(klass: Class):
    text = feedback.feedback(Table(klass), "s2", {ONE: "Training step"})
    assert "1 of 2 exercises pass: 1 of 2 points. Handed in after the due date." in text
    assert "| 1.05 Training step | failed | 0 of 1 |" in text
    assert "✗ 1.05 A title · two\n    the weight\n      expected  1.0\n      got       2.0     difference 1" in text
    assert "This is what comes out when gradients are never cleared" in text
    assert "exercises/module01/ex05_training_step.py:7 · lesson docs/module01/lesson/" in text


def test_no_text_of_an_answer_ends_its_block(klass: Class):
    text = feedback.feedback(Table(klass), "s3", {})
    block = text.split("\n``````text\n")[1].split("\n``````\n")
    assert len(block) == 2 and "## s1" in block[0] and "## s1" not in block[1]
    assert "No file for this exercise was handed in." in text


def test_feedback_says_why_there_is_no_verdict(klass: Class):
    text = feedback.feedback(Table(klass), "s4", {})
    assert "The file wasn't taken.\nReason: =the zip holds ../evil" in text
    assert "it has to be graded again" in text


def test_what_a_tampered_check_said_is_not_shown(klass: Class):
    row = classes.failed("s1")
    tampered = Graded("s1", ONE, Outcome.TAMPERED, verdict=row.verdict, reason="expect.close was replaced")
    text = feedback.feedback(Table(classes.klass([tampered])), "s1", {})
    assert "expect.close was replaced" in text and "the weight" not in text


def test_pseudonyms_stay_and_tell_nothing(tmp_path: Path):
    names = ["Ann Lee", "Zoë", "bob"]
    first = pseudonyms.pseudonyms(names, pseudonyms.salt_of(tmp_path / "a"))
    again = pseudonyms.pseudonyms(reversed(names), pseudonyms.salt_of(tmp_path / "a"))
    other = pseudonyms.pseudonyms(names, pseudonyms.salt_of(tmp_path / "b"))
    assert first == again and not set(first.values()) & set(other.values())
    assert stat.S_IMODE((tmp_path / "a" / pseudonyms.SALT).stat().st_mode) == 0o600
    with pytest.raises(ValueError, match="the same"):
        pseudonyms.pseudonyms(["Zoë", "ZOË"], b"salt")


def test_results_that_cannot_be_written_are_one_line(klass: Class, tmp_path: Path):
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    with pytest.raises(CourseError, match="is a file: give the results a folder"):
        outputs.write_all(klass, tmp_path / "out", names=NAMES)
