"""What decides about marks and exit codes when a class is graded, without a sandbox: tables of cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.classroom import RIGHT, plan_of, write
from tests.support.miniature import build
from tunelings.classroom import feedback, programs
from tunelings.classroom.engine import Engine
from tunelings.classroom.git import reason_of
from tunelings.classroom.handed_in import Submission
from tunelings.classroom.programs import program
from tunelings.classroom.records import Graded, Outcome
from tunelings.classroom.told import Told
from tunelings.commands.classroom import UNDECIDED, UNREADABLE, _exit_code
from tunelings.grading.states import CheckState, ExerciseState

DUE = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


def rows(*outcomes: Outcome) -> tuple[Graded, ...]:
    return tuple(Graded("s1", f"1.{number:02d}", outcome) for number, outcome in enumerate(outcomes, 1))


@pytest.mark.parametrize("outcome", [one for one in Outcome if one != Outcome.PASSED])
def test_single_ends_with_0_only_if_every_exercise_passes(outcome: Outcome):
    assert _exit_code(rows(Outcome.PASSED, Outcome.PASSED), is_single=True) == 0
    assert _exit_code(rows(Outcome.PASSED, outcome), is_single=True) == UNDECIDED == 1
    assert _exit_code(rows(outcome, Outcome.PASSED), is_single=True) == UNDECIDED


def test_single_without_any_row_is_no_pass():
    assert _exit_code((), is_single=True) == UNDECIDED


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([Outcome.PASSED, Outcome.FAILED, Outcome.MISSING, Outcome.TAMPERED, Outcome.TIMEOUT], 0),
        ([Outcome.PASSED, Outcome.NO_VERDICT], UNDECIDED),
        ([Outcome.REFUSED, Outcome.PASSED], UNREADABLE),
        ([Outcome.NO_VERDICT, Outcome.REFUSED], UNREADABLE),
    ],
)
def test_a_class_ends_with_what_needs_the_instructor(outcomes: list[Outcome], code: int):
    assert _exit_code(rows(*outcomes), is_single=False) == code
    assert UNREADABLE == 3


@pytest.fixture
def engine(tmp_path: Path):
    """An engine that runs nothing."""

    def made(**options) -> Engine:
        return Engine(plan_of(build(tmp_path / "course").root, **options), tmp_path / "results", runner=None)

    return made


def half_passed(checks: tuple[str, ...]) -> Told:
    """Every second check has passed, and the others failed."""
    states = {name: CheckState.FAILED if place % 2 else CheckState.PASSED for place, name in enumerate(checks)}
    return Told(
        id="x", state=ExerciseState.FAILED, checks=states, failure=None, fingerprints={}, flags=[],
        tampered=False, memory=False, starved=False, ended=False, trouble="", seconds=1.0,
    )  # fmt: skip


@pytest.mark.parametrize("outcome", list(Outcome))
def test_points_are_for_a_pass_or_for_checks_of_an_answer_that_left_the_grader_alone(engine, outcome: Outcome):
    by_pass, by_checks = engine(points="all"), engine(points="checks")
    checks = by_checks.checks["1.01"]
    result = half_passed(checks)
    whole = 1.0 if outcome == Outcome.PASSED else 0.0
    share = (len(checks) + 1) // 2 / len(checks)
    partly = share if outcome in {Outcome.FAILED, Outcome.TIMEOUT, Outcome.MEMORY} else whole
    assert by_pass._points("1.01", outcome, result) == whole
    assert by_checks._points("1.01", outcome, result) == partly
    assert 0 < share < 1


@pytest.mark.parametrize(("after", "is_late"), [(-1, False), (0, False), (1, True), (None, False)])
def test_late_is_what_was_handed_in_after_the_due_date(engine, after: int | None, is_late: bool):
    when = None if after is None else DUE + timedelta(seconds=after)
    handed_in = Submission("anna", {}, {"1.01": "it is a link"}, "", when)
    for one in (handed_in, Submission("ben", problem="it is empty", handed_in=when)):
        found = engine(due=DUE).rows([one], {one.name: "s1"})
        assert {row.late for row in found} == {is_late}
        assert {row.late for row in engine().rows([one], {one.name: "s1"})} == {False}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("fatal: repository 'x' not found\nPlease make sure you have the rights\nand the repository exists.",
         "fatal: repository 'x' not found"),
        ("Cloning\nERROR: Repository not found.\nfatal: Could not read from remote repository.",
         "ERROR: Repository not found."),
        ("warning: one\nanother", "another"),
        ("", "no reason given"),
    ],
)  # fmt: skip
def test_the_line_of_git_that_says_why_is_shown(said: str, reason: str):
    assert reason_of(said) == reason


def test_every_outcome_is_told_to_the_student():
    assert set(feedback.SAYS) == set(Outcome) - {Outcome.FAILED}  # Of that one the verdict says all.


@pytest.mark.parametrize("place", [["--single", "nowhere"], ["nowhere", "-o", "out"]])
def test_a_place_that_is_not_there_is_wrong_use_and_makes_no_folder(tunelings, mini, place: list[str]):
    write(mini.root / "class", "anna", RIGHT)
    done = tunelings("grade", *place)
    assert done.code == 2 and "nowhere" in done.err and not Path("out").exists()


CODE = 'def f(x):\n    """A\n    # text"""\n    # first\n    return [  # one\n        x,\n        # of two\n    ]\n'


@pytest.mark.parametrize(
    ("mine", "yours"),
    [
        (CODE, CODE + "# anna\n"),
        (CODE, CODE + "\n\n"),
        (CODE, CODE.replace("    # first", "#").replace("# of two", "# or three")),
    ],
)
def test_comments_on_lines_of_their_own_make_no_other_program(mine: str, yours: str):
    assert mine != yours and program(mine.encode()) == program(yours.encode())


def test_a_large_answer_is_not_parsed_in_the_process_that_decides(monkeypatch: pytest.MonkeyPatch):
    """A megabyte of short lines took twelve seconds and a gigabyte there."""
    monkeypatch.setattr(programs, "_tree", lambda text: pytest.fail("it is parsed"))
    answer = b"a\n" * 400_000
    assert program(answer).endswith(answer) and program(answer) != answer


@pytest.mark.parametrize(
    "yours",
    [
        CODE.replace("# one", "# two"),  # A failure shows the line.
        CODE.replace("# text", "# more"),
        CODE.replace("    # first\n", ""),  # A failure says the number of the line.
        CODE.replace("# first", "# TODO: first"),
        "# coding: latin-1\n" + CODE,
        CODE.replace("    # first", "\u00a0   # first"),
        CODE.replace("return", "return not"),
    ],
)
def test_whatever_else_differs_makes_another(yours: str):
    assert yours != CODE and program(yours.encode()) != program(CODE.encode())


COMMENTS_COUNT = ["p = open(__file__).read()\n", "import inspect\n", "x = 1 \\\n", "def f():\n", "\t)\n\0"]


@pytest.mark.parametrize("code", COMMENTS_COUNT)
def test_comments_count_where_they_could_be_read_or_move_what_is_wrong(code: str):
    assert program(f"{code}    # a\n".encode()) != program(f"{code}    # b\n".encode())


@pytest.mark.parametrize(
    "answer", [b"def f(:\n# a\n", b"\xff# a\n", b"if x:\n  y\n z\n# a\n", b'"""\n# a\n', b"\0# a\n"]
)
def test_what_is_no_python_is_compared_as_it_is(answer: bytes):
    assert program(answer) != program(answer.replace(b"# a", b"# b"))
