"""What `tunelings grade` writes: every format is read back, by what its readers use where there is such a thing.

Long: 37 tests, by file that is written.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.conftest import COURSE
from tests.support import classes
from tests.support.classes import NO_ZERO_GRAD, ONE, TWO
from tests.support.systems import POSIX
from tunelings.classroom import classroom50, csvfiles, feedback, gradescope, junit, outputs, pseudonyms, roster, sandbox
from tunelings.classroom.records import Class, Graded, Outcome
from tunelings.classroom.table import Table
from tunelings.course import CourseError
from tunelings.grading import stubs

pytestmark = POSIX  # Grading a class needs Linux, or macOS.

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
    assert rows(out / "key.csv")[:2] == [{"student": "s2", "name": "'=cmd()"}, {"student": "s1", "name": "Ann Lee"}]
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
    files = manifest.pop("files")
    assert manifest == {"isolation": "bwrap", "points": "all", "seed": 3}
    written = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert files.keys() == written - {"manifest.json", ".gitignore"}


def test_a_second_run_takes_away_what_the_first_had_written_and_nothing_else(klass: Class, tmp_path: Path):
    """s2 has left the class, and s3's feedback has got a remark by hand; Gradescope's files aren't asked for again."""
    out = tmp_path / "out"
    answers = {f"hash-s{n}": "x = 1\n" for n in range(1, 5)}
    outputs.write_all(klass, out, names=NAMES, for_gradescope=True, answers=answers)
    own = [out / "feedback" / "my notes.md", out / "gradescope" / "mine.json", out / "results" / "3f" / "kept.json"]
    for path in own:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine", encoding="utf-8")
    remarked = out / "feedback" / "s3.md"
    remarked.write_text(remarked.read_text("utf-8") + "Come and see me.\n", encoding="utf-8")
    assert list((out / "clusters").iterdir())
    left = [row for row in klass.rows if row.student not in {"s2", "s3"}]
    outputs.write_all(classes.klass(left), out, names=NAMES)
    assert {path.name for path in (out / "feedback").iterdir()} == {"s1.md", "s3.md", "s4.md", "my notes.md"}
    assert "Come and see me." in remarked.read_text("utf-8")
    assert [path.name for path in (out / "gradescope").iterdir()] == ["mine.json"]
    assert not (out / "clusters").exists() and all(path.read_text("utf-8") == "mine" for path in own)


def test_a_manifest_leads_to_no_file_outside_its_folder(klass: Class, tmp_path: Path):
    out, outside = tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    (outside / "grades.txt").write_text("x", encoding="utf-8")
    out.mkdir()
    (out / "linked").symlink_to(outside)
    (out / "grades.txt").symlink_to(outside / "grades.txt")
    digest = hashlib.sha256(b"x").hexdigest()
    names = ["../outside/grades.txt", str(outside / "grades.txt"), "linked/grades.txt", "grades.txt"]
    (out / "manifest.json").write_text(json.dumps({"files": dict.fromkeys(names, digest)}), encoding="utf-8")
    outputs.write_all(klass, out, names=NAMES)
    assert (outside / "grades.txt").read_text("utf-8") == "x" and (out / "grades.txt").is_symlink()


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
    assert "The file wasn't accepted.\nReason: =the zip holds ../evil" in text
    assert "it stopped while checking this answer" in text


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


# ---------------------------------------------------------------- what CI servers and other graders read
def test_junit_shows_nothing_without_a_pass_as_green(out: Path):
    root = ET.parse(out / "junit.xml").getroot()
    suites = {suite.get("name"): suite for suite in root}
    assert {name: (s.get("tests"), s.get("failures"), s.get("errors")) for name, s in suites.items()} == {
        "s1": ("2", "0", "0"), "s2": ("2", "1", "0"), "s3": ("2", "2", "0"), "s4": ("2", "1", "1")}  # fmt: skip
    green = [(case.get("classname"), case.get("name")) for case in root.iter("testcase") if len(case) == 0]
    assert green == [("s1", ONE), ("s1", TWO), ("s2", TWO)]
    assert "gradients are never cleared" in (suites["s2"][0].find("failure").text or "")


@pytest.mark.parametrize("hidden", ["\x00", "\x1b[2J", "\ud800", "\ufffe", "\x0b", "]]>", "<b>&"])
def test_junit_is_xml_whatever_an_answer_says(hidden: str):
    row = classes.failed("s1", why=classes.failure(hidden, got=hidden, message=hidden))
    refused = classes.outcome("s1", Outcome.REFUSED, TWO, reason=hidden)
    root = ET.fromstring(junit.junit(Table(classes.klass([row, refused])), {ONE: hidden}))
    assert root.find("testsuite").get("failures") == "2"


def test_gradescope_gets_a_score_and_a_text_for_each_exercise(klass: Class):
    made = gradescope.results(Table(klass), "s2", {ONE: "Training step"})
    assert (made["score"], made["execution_time"]) == (1.0, 6.0)
    one, two = made["tests"]
    assert (one["status"], one["score"], one["max_score"], one["name"]) == ("failed", 0.0, 1.0, "1.05 Training step")
    assert "gradients are never cleared" in one["output"] and two["status"] == "passed"
    assert_is_of_gradescope(made)


def test_gradescope_s_files_are_written_where_they_are_asked_for(klass: Class, out: Path):
    assert not (out / "gradescope").exists()
    outputs.write_all(klass, out, names=NAMES, for_gradescope=True)
    found = {path.stem: json.loads(path.read_text("utf-8")) for path in (out / "gradescope").iterdir()}
    assert {name: made["score"] for name, made in found.items()} == {"s1": 2.0, "s2": 1.0, "s3": 0.0, "s4": 0.0}


def test_gradescope_is_told_what_has_no_verdict(klass: Class):
    made = gradescope.results(Table(klass), "s4", {})
    assert made["score"] == 0 and made["output"].startswith("The grader has no result for 1.06: please rerun")
    assert_is_of_gradescope(made)


def assert_is_of_gradescope(made: dict) -> None:
    """The names and values that docs/specs.md of gradescope/autograder_samples has."""
    visibility = {"hidden", "after_due_date", "after_published", "visible"}
    top = {"score", "execution_time", "output", "output_format", "test_output_format", "test_name_format",
           "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard"}  # fmt: skip
    test = {"score", "max_score", "status", "name", "name_format", "number", "output", "output_format", "tags",
            "visibility", "extra_data"}  # fmt: skip
    assert made.keys() <= top and {made["visibility"], made["stdout_visibility"]} <= visibility
    assert made["score"] == sum(one["score"] for one in made["tests"])
    for one in made["tests"]:
        assert one.keys() <= test and one["visibility"] in visibility and one["status"] in {"passed", "failed"}
        assert 0 <= one["score"] <= one["max_score"]


@pytest.fixture(scope="module")
def autograder(tmp_path_factory) -> zipfile.ZipFile:
    path = outputs.write_autograder(COURSE, tmp_path_factory.mktemp("zip"), ["--only", "1.05", "--seed", "3"])
    return zipfile.ZipFile(path)


def test_the_autograder_has_its_two_scripts_at_the_root_and_can_run_them(autograder: zipfile.ZipFile):
    for name in ("setup.sh", "run_autograder"):
        info = autograder.getinfo(name)
        assert info.external_attr >> 16 & 0o111 and autograder.read(info).startswith(b"#!/usr/bin/env bash\n")
        done = subprocess.run(["bash", "-n"], input=autograder.read(info), capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
    assert b"-o /tmp/graded --gradescope --only 1.05 --seed 3\n" in autograder.read("run_autograder")


def test_the_autograder_holds_the_course_and_nothing_of_a_class(autograder: zipfile.ZipFile):
    names = set(autograder.namelist())
    stub = autograder.read("course/exercises/module01/ex05_training_step.py").decode()
    assert stub == COURSE.find("1.05").answer_path.read_text("utf-8") and "NotImplementedError" in stub
    assert {"course/pyproject.toml", "course/solutions/module01/ex05_training_step.py",
            "course/checks/module01/test_ex05_training_step.py", "course/exercises/module01/ex05_training_step.py",
            "course/tunelings/classroom/gradescope_files/setup.sh"} <= names  # fmt: skip
    project = tomllib.loads(autograder.read("course/pyproject.toml").decode())
    forced = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    (readme,) = project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["fragments"]
    needed = {*forced, readme["path"], *project["project"]["license-files"], "constraints.txt"}
    assert {f"course/{name}" for name in needed} <= names, "what the installation asks for"
    assert not [name for name in names if "__pycache__" in name or name.startswith("course/tests")]
    assert sum(info.compress_size for info in autograder.infolist()) < 100e6, "Gradescope takes 100 MB"


@pytest.mark.parametrize(
    ("code", "wrote", "expected"),
    [(0, True, True), (1, True, True), (3, True, True), (4, True, False), (0, False, False)],
)
def test_the_autograder_hands_on_a_result_only_of_a_run_that_ended(
    autograder: zipfile.ZipFile, tmp_path: Path, code: int, wrote: bool, expected: bool
):
    """run_autograder, with a `tunelings` that ends as it is told; without results.json Gradescope gives no points."""
    fake = tmp_path / "opt/course/bin/tunelings"
    fake.parent.mkdir(parents=True)
    graded = tmp_path / "tmp/graded/gradescope"
    write = f"mkdir -p {graded} && echo '{{}}' > {graded}/student-1.json\n" * wrote
    fake.write_text(f"#!/bin/sh\n{write}exit {code}\n", encoding="utf-8")
    fake.chmod(0o755)
    stub = tmp_path / "autograder/source/course/exercises/module01/ex05_training_step.py"
    flat = tmp_path / "autograder/submission" / stub.name
    for path in (stub, flat):
        path.parent.mkdir(parents=True)
        path.write_text(f"# {path.parent.name}\n", encoding="utf-8")
    (tmp_path / "autograder/results").mkdir()
    (tmp_path / "autograder/results/results.json").write_text("an older one", encoding="utf-8")
    script = autograder.read("run_autograder").decode()
    for folder in ("/autograder/", "/opt/", "/tmp/graded"):
        script = script.replace(folder, f"{tmp_path}{folder}")
    done = subprocess.run(["bash"], input=script.encode(), capture_output=True)
    result = tmp_path / "autograder/results/results.json"
    assert (done.returncode == 0, result.exists()) == (expected, expected), done.stderr
    assert not expected or result.read_text("utf-8") == "{}\n"
    assert (flat.parent / "module01" / flat.name).read_text("utf-8") == "# submission\n", "a file without its folder"


# What setup.sh asks of a machine, noted and not done; what `uv` installs is this Python with the zip's course.
FAKES = {
    "apt-get": "", "useradd": "", "id": "exit 1\n",
    "python3": 'mkdir -p "$3/bin" && cp "$FAKES/uv" "$3/bin/uv" && cp "$FAKES/apt-get" "$3/bin/pip"\n',
    "uv": """if [ "$1" = pip ]; then
  test -f pyproject.toml && test -f constraints.txt && mkdir -p "$COURSE/bin" || exit 1
  printf '#!/bin/sh\\nexport PYTHONPATH=%s\\nexec %s -m tunelings "$@"\\n' "$PWD" "$PYTHON" >"$COURSE/bin/tunelings"
  chmod +x "$COURSE/bin/tunelings"
fi
""",
}  # fmt: skip


@pytest.mark.sweep
@pytest.mark.timeout(1200)
@pytest.mark.skipif(bool(sandbox.bwrap_trouble()), reason=f"no bwrap here: {sandbox.bwrap_trouble()}")
def test_the_autograder_sets_itself_up_and_grades_as_gradescope_runs_it(autograder: zipfile.ZipFile, tmp_path: Path):
    """The zip unpacked in source/, its two scripts at their places, and /autograder, /opt and /tmp below a folder."""
    root, fakes = tmp_path / "machine", tmp_path / "fakes"
    autograder.extractall(root / "autograder/source")
    scripts = {}
    for name in ("setup.sh", "run_autograder"):
        text = autograder.read(name).decode()
        for folder in ("/autograder", "/opt/", "/tmp/graded"):
            text = text.replace(folder, f"{root}{folder}")
        scripts[name] = root / "autograder" / name
        scripts[name].write_text(text, encoding="utf-8")
    (root / "tmp").mkdir()
    fakes.mkdir()
    for name, body in FAKES.items():
        (fakes / name).write_text(f'#!/bin/sh\necho "${{0##*/}} $*" >>"$FAKES/log"\n{body}', encoding="utf-8")
        (fakes / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{fakes}:{os.environ['PATH']}", "FAKES": str(fakes),
                   "COURSE": str(root / "opt/course"), "PYTHON": sys.executable}  # fmt: skip
    done = subprocess.run(["bash", str(scripts["setup.sh"])], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    log = (fakes / "log").read_text("utf-8")
    assert "apt-get install" in log and "useradd --create-home" in log and "uv pip install --python" in log

    solution = stubs.uncut(COURSE.find("1.05").solution_path.read_text("utf-8"))
    made = {}
    for name, text in (("right", solution), ("wrong", solution.replace("optimizer.zero_grad()", "pass"))):
        shutil.rmtree(root / "autograder/submission", ignore_errors=True)
        path = root / "autograder/submission/ex05_training_step.py"
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
        metadata = {"created_at": "2026-11-29T10:00:00.000000-08:00", "users": [], "previous_submissions": []}
        (root / "autograder/submission_metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
        done = subprocess.run(["bash", str(scripts["run_autograder"])], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        made[name] = json.loads((root / "autograder/results/results.json").read_text("utf-8"))
        assert_is_of_gradescope(made[name])
    assert [made[name]["score"] for name in ("right", "wrong")] == [1.0, 0.0]
    (test,) = made["wrong"]["tests"]
    assert test["status"] == "failed" and "gradients are never cleared" in test["output"]
    assert made["right"]["extra_data"]["seed"] == 3


RUNNER = {
    "CLASSROOM": "cs50", "ASSIGNMENT": "loops", "SUBMISSION_TAG": "submit/2026-11-29T10-00-00Z-abc", "USERNAME": "ann",
    "COMMIT_URL": "https://example.org/c", "RELEASE_URL": "https://example.org/r", "ASSIGNMENT_TYPE": "group",
}  # fmt: skip


def test_classroom_50_gets_whole_numbers_and_whose_they_are(klass: Class):
    when = datetime(2026, 11, 29, 12, tzinfo=timezone(timedelta(hours=1)))
    made = classroom50.result(Table(klass), "s2", RUNNER, when)
    assert (made["schema"], made["owner"], made["assignment_type"]) == ("classroom50/result/v1", "ann", "group")
    assert (made["datetime"], made["score"], made["max-score"]) == ("2026-11-29T11:00:00Z", 100, 200)
    assert made["tests"][0] == {"test-name": ONE, "passed": False, "score": 0, "max-score": 100}
    assert all(type(made[name]) is int for name in ("score", "max-score"))


def test_classroom_50_s_file_is_written_where_its_runner_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    klass = classes.klass([classes.passed("s1")])
    outputs.write_all(klass, tmp_path / "a", names={})
    for name, value in RUNNER.items():
        monkeypatch.setenv(name, value)
    outputs.write_all(klass, tmp_path / "b", names={})
    open_one = classes.klass([classes.outcome("s1", Outcome.NO_VERDICT)])
    outputs.write_all(open_one, tmp_path / "c", names={})
    assert not (tmp_path / "a/classroom50").exists() and not (tmp_path / "c/classroom50").exists()
    assert (tmp_path / "b/classroom50/result.json").exists()


# ---------------------------------------------------------------- the LMS's own file
CANVAS = (
    '\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,"tunelings (77)",Final Score\r\n'
    '    Points Possible,,,,,10.00,(read only)\r\n'
    '"Lee, Ann",42,u1,ann,"A, B",,"91.5"\r\n'
    '"Zoë ""Z""",43,u2,zoe,A,"3",\r\n'
    'Émile,44,u3,emile,A,7,\r\n'
    '"Student, Test",45,,x,A,,\r\n'
)  # fmt: skip
MOODLE = (
    "Identifier,Full name,ID number,Email address,Status,Grade,Maximum Grade,Feedback comments\n"
    'Participant 101,Ann Lee,7,ann@example.org,"Submitted for grading",,100.00,"two\nlines, ""quoted"""\n'
    "Participant 102,Zoë Z,8,zoe@example.org,No submission,-,100.00,\n"
)


def filled(tmp_path: Path, text: str, points: dict, encoding: str = "utf-8") -> tuple[str, list[str]]:
    path = tmp_path / "lms.csv"
    path.write_bytes(text.encode(encoding))
    made = roster.fill(path, points)
    return made.content.decode(encoding), list(made.problems.values())


def test_canvas_gets_one_column_filled_and_scaled_and_every_other_byte_back(tmp_path: Path):
    text, problems = filled(tmp_path, CANVAS, {"ann": (1, 2), "43": (2, 2), "emile": (0, 2)})
    expected = CANVAS.replace('"A, B",,', '"A, B",5,').replace('A,"3",', 'A,"10",').replace("A,7,", "A,0,")
    assert (text, problems) == (expected, [])


def test_canvas_without_our_column_gets_a_new_one(tmp_path: Path):
    plain = CANVAS.replace("tunelings (77)", "Homework (77)")
    text, problems = filled(tmp_path, plain, {"leeann_42_99_answers": (1.5, 2)})
    before, after = plain.split("\r\n")[:-1], text.split("\r\n")[:-1]
    assert after == [f"{a}{b}" for a, b in zip(before, [",tunelings", ",2", ",1.5", ",", ",", ","], strict=True)]
    assert problems == []


def test_moodle_gets_its_grade_by_the_name_of_its_folder(tmp_path: Path):
    points = {"Ann Lee_101_assignsubmission_file": (1, 4), "ZOE@example.org": (4, 4)}
    text, problems = filled(tmp_path, MOODLE, points)
    expected = MOODLE.replace('grading",,', 'grading",25,').replace("submission,-,", "submission,100,")
    assert (text, problems) == (expected, [])


def test_a_name_that_could_be_two_or_none_gets_no_grade(tmp_path: Path):
    text, problems = filled(tmp_path, MOODLE + MOODLE.split("\n", 1)[1], {"Ann Lee": (1, 1), "nobody": (1, 1)})
    assert text == MOODLE + MOODLE.split("\n", 1)[1]
    assert problems == ["Ann Lee: 2 rows of the roster could be meant", "nobody: no rows of the roster could be meant"]


def test_two_names_for_one_row_give_it_no_grade(tmp_path: Path):
    text, problems = filled(tmp_path, MOODLE, {"Ann Lee": (1, 1), "ann@example.org": (0, 1)})
    assert text == MOODLE and problems == ["ann@example.org and Ann Lee are the same row of the roster"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_semicolons_and_old_encodings_come_back(tmp_path: Path, encoding: str):
    text, _ = filled(tmp_path, "name;grade\nÉmile;\nZoë;3", {"Émile": (1, 1)}, encoding)
    assert text == "name;grade\nÉmile;1\nZoë;3"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "no column says who"),
        ("name,b\n1,2\n", "no column takes the grade"),
        ("name,grade,Grade\n1,2,3\n", "2 columns could take the grade"),
        ('name,grade\n"x"y,2\n', "line 2 isn't valid CSV"),
    ],
)
def test_a_roster_that_cannot_be_filled_is_one_line(tmp_path: Path, text: str, said: str):
    with pytest.raises(CourseError, match=said):
        filled(tmp_path, text, {})


def test_the_filled_roster_is_private_and_the_given_one_stays(klass: Class, tmp_path: Path):
    given = tmp_path / "moodle.csv"
    given.write_text("name,grade\nAnn Lee,\n", encoding="utf-8")
    problems = outputs.write_all(klass, tmp_path / "out", names=NAMES, roster=given)
    assert given.read_text("utf-8") == "name,grade\nAnn Lee,\n"
    path = tmp_path / "out/roster/moodle.csv"
    assert path.read_text("utf-8") == "name,grade\nAnn Lee,2\n" and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [line.split(":")[0] for line in problems] == ["=cmd()", "Zoë", "Émile"]


def test_of_many_without_a_row_a_few_are_shown_and_all_are_listed(tmp_path: Path):
    """A roster of another course: 300 lines would hide how the grading went."""
    names = {f"s{n}": f"Student {n}" for n in range(8)}
    klass = classes.klass([one for student in names for one in (classes.passed(student), classes.passed(student, TWO))])
    given = tmp_path / "other.csv"
    given.write_text("name,grade\nAnn Lee,\n", encoding="utf-8")
    problems = outputs.write_all(klass, tmp_path / "out", names=names, roster=given)
    assert problems[:5] == [f"Student {n}: no rows of the roster could be meant" for n in range(5)]
    assert problems[5:] == ["3 more have no grade in the roster: see roster/other-no-grade.txt"]
    listed = tmp_path / "out/roster/other-no-grade.txt"
    assert [line.split(":")[0] for line in listed.read_text("utf-8").splitlines()] == list(names.values())
    assert stat.S_IMODE(listed.stat().st_mode) == 0o600


def test_a_grade_of_before_stays_where_nothing_was_graded(tmp_path: Path):
    """Ann's zip could not be read, and Zoë has an exercise without a verdict; Bo's other file is good."""
    rows = [classes.outcome("s1", Outcome.REFUSED), classes.outcome("s1", Outcome.REFUSED, TWO)]
    rows += [classes.outcome("s3", Outcome.NO_VERDICT), classes.passed("s3", TWO)]
    rows += [classes.outcome("s2", Outcome.REFUSED), classes.passed("s2", TWO)]
    rows += [classes.outcome("s4", Outcome.REFUSED), classes.outcome("s4", Outcome.MISSING, TWO)]
    rows += [classes.outcome("s5", Outcome.REFUSED), classes.outcome("s5", Outcome.REFUSED, TWO)]
    rows += [classes.passed("s6"), classes.passed("s6", TWO)]
    given = tmp_path / "lms.csv"
    given.write_text("name,grade\nAnn Lee,7\nZoë,8\nBo,9\nCy,6\nDee,5\n", encoding="utf-8")
    twin = "Dee_12_assignsubmission_file"  # Refused, and so no reason to take the other Dee's points.
    names = {"s1": "Ann Lee", "s2": "Bo", "s3": "Zoë", "s4": "Cy", "s5": twin, "s6": "Dee"}
    problems = outputs.write_all(classes.klass(rows), tmp_path / "out", names=names, roster=given)
    assert (tmp_path / "out/roster/lms.csv").read_text("utf-8") == "name,grade\nAnn Lee,7\nZoë,8\nBo,1\nCy,6\nDee,5\n"
    assert problems == [
        *(f"{name}: not graded, so the roster keeps what it has" for name in ("Ann Lee", "Zoë", "Cy", twin)),
        f"Dee and {twin} are the same row of the roster",
    ]
