"""A course of two exercises, small enough to read whole, so that the grader's tests need no real one.

`mini` is the fixture: the course in a folder of its own, which is also the working folder. `mini.grade()`
runs pytest in this process, `mini.cold()` as a learner does, in a process of its own (2 to 3 s with torch).
"""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tunelings.course import Course, Exercise
from tunelings.grading import diagnose, render  # noqa: F401  (loaded once, before any run inside this process)
from tunelings.grading.answers import Source
from tunelings.grading.run import Result, checks_of, limit_of, run_check
from tunelings.grading.stubs import cut

ROOT = Path(__file__).resolve().parents[2]

SQUARES = '''"""1.01 · Squares: every number times itself."""

import torch
from torch import Tensor


def squares(x: Tensor) -> Tensor:
    """Each number of x times itself; the shape stays."""
    # BEGIN SOLUTION: multiply x by itself.
    return x * x
    # END SOLUTION


def mean_square(x: Tensor) -> float:
    """The mean of the squares, as a Python float."""
    # BEGIN SOLUTION: the mean of the squares, as a float.
    return squares(x).mean().item()
    # END SOLUTION
'''

SQUARES_CHECK = '''"""1.01: what the answer must do."""

import torch

from tunelings import expect
from tunelings.inputs import randn

VECTOR = torch.tensor([3.0, -1.0, 0.5], dtype=torch.float64)
MATRIX = torch.tensor([[1.0, 2.0], [3.0, -4.0], [0.1, 0.0]], dtype=torch.float64)


def test_each_number_is_squared(answer):
    expect.note("x", VECTOR)
    by_hand = torch.tensor([9.0, 1.0, 0.25], dtype=torch.float64)
    expect.close(answer.squares(VECTOR), by_hand, what="squares([3, -1, 0.5])")


def test_a_matrix_keeps_its_shape(answer):
    expect.close(answer.squares(MATRIX), MATRIX.pow(2), what="squares of a 3 x 2 matrix")


def test_the_mean_is_a_plain_number(answer):
    mean = expect.number(answer.mean_square(VECTOR), what="mean_square([3, -1, 0.5])")
    expect.close(mean, 41 / 12, what="mean_square([3, -1, 0.5])")


def test_any_numbers_will_do(answer):
    x = randn(7)
    expect.close(answer.squares(x), x.pow(2), what="the squares of seven random numbers")
'''

SQUARES_CARD = """title = "Squares"
lesson = "squares"
minutes = 5
difficulty = 1
learnt = "A number times itself is never negative."
hints = ["What is three times three?", "Which operator multiplies?", "It is x * x."]

[[mistakes]]
id = "doubled"
says = "each number is added to itself and not multiplied."
shows = "{actual[0]:.3g} is {x[0]:.3g} + {x[0]:.3g}."
forms = [[{ old = "x * x", new = "x + x" }], [{ old = "x * x", new = "2 * x" }]]

[[mistakes]]
id = "sign-kept"
says = "the sign of each number is kept."
forms = [[{ old = "x * x", new = "x * x.abs()" }]]

[[mistakes]]
id = "sign-put-back"
says = "the sign is multiplied in again."
forms = [[{ old = "x * x", new = "x * x * x.sign()" }]]

[[mistakes]]
id = "random-factor"
says = "each number is multiplied by a random one."
forms = [[{ old = "x * x", new = "x * torch.rand_like(x)" }]]

[[mistakes]]
id = "summed"
says = "the squares are added up and not averaged."
forms = [[{ old = ".mean()", new = ".sum()" }]]
"""

SHIFT = '''"""1.02 · Shift: every number moves by the same amount."""

from torch import Tensor


def shift(x: Tensor, by: float = 1.0) -> Tensor:
    """Each number of x plus `by`; x itself stays as it is."""
    # BEGIN SOLUTION: add `by` to x, in a new tensor.
    return x + by
    # END SOLUTION
'''

SHIFT_CHECK = '''"""1.02: what the answer must do."""

import pytest
import torch

from tunelings import expect
from tunelings.inputs import randn


@pytest.mark.timeout(1)
def test_each_number_moves(answer):
    x = torch.tensor([1.0, 2.0, 4.0])
    expect.close(answer.shift(x, 2.0), [3.0, 4.0, 6.0], what="shift([1, 2, 4], 2)", dtype=torch.float32)


def test_the_argument_stays(answer, tmp_path):
    x = randn(3)
    with expect.unchanged("the argument", x):
        answer.shift(x)
    (tmp_path / "written").write_text("here")


@pytest.mark.trains
def test_many_small_steps_arrive(answer):
    x = torch.zeros(())
    for _ in range(8):
        x = answer.shift(x, 0.5)
    expect.close(x, 4.0, what="eight steps of 0.5")


@pytest.mark.gpu
def test_a_gpu_gives_the_same(answer):
    expect.close(answer.shift(torch.ones(2, device="cuda")), [2.0, 2.0], what="shift on a GPU")
'''

SHIFT_CARD = """title = "Shift"
lesson = "shift"
minutes = 5
difficulty = 1
learnt = "Adding makes a new tensor."
hints = ["Which operator adds?", "It is x + by."]

[[mistakes]]
id = "default-step"
says = "the amount is always 1."
forms = [[{ old = "x + by", new = "x + 1.0" }]]

[[mistakes]]
id = "in-place"
says = "the argument itself is changed."
forms = [[{ old = "x + by", new = "x.add_(by)" }]]
"""

FILES = {
    "solutions/module01/ex01_squares.py": SQUARES,
    "checks/module01/test_ex01_squares.py": SQUARES_CHECK,
    "checks/module01/ex01_squares.toml": SQUARES_CARD,
    "docs/module01/squares.md": "# Squares\n",
    "exercises/module01/ex01_squares.py": cut(SQUARES),
    "solutions/module01/ex02_shift.py": SHIFT,
    "checks/module01/test_ex02_shift.py": SHIFT_CHECK,
    "checks/module01/ex02_shift.toml": SHIFT_CARD,
    "docs/module01/shift.md": "# Shift\n",
    "exercises/module01/ex02_shift.py": cut(SHIFT),
}


@dataclass
class Graded:
    """What one pytest run said."""

    code: int
    output: str
    states: dict[str, str] = field(default_factory=dict)  # check name -> outcome
    texts: dict[str, str] = field(default_factory=dict)  # check name -> the text of its failure

    def text(self) -> str:
        """The text of the first failure."""
        return next(iter(self.texts.values()))


class _Recorder:
    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.texts: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.rpartition("::")[2]
        if report.when == "call" or report.outcome != "passed":
            self.states[name] = getattr(report, "tunelings_state", report.outcome)
        if report.failed:
            self.texts[name] = str(report.longrepr)


@dataclass(frozen=True)
class Miniature:
    """The small course and what tests do with it."""

    root: Path

    @property
    def course(self) -> Course:
        return Course(self.root)

    @property
    def squares(self) -> Exercise:
        return self.course.find("1.01")

    @property
    def shift(self) -> Exercise:
        return self.course.find("1.02")

    def answer(self, exercise: Exercise, text: str) -> Path:
        """Write the learner's answer."""
        exercise.answer_path.write_text(text, encoding="utf-8")
        return exercise.answer_path

    def solve(self, exercise: Exercise, old: str = "", new: str = "") -> Path:
        """Write the reference as the learner's answer, with one edit."""
        solution = exercise.solution_path.read_text(encoding="utf-8")
        assert solution.count(old) == 1 or not old
        return self.answer(exercise, solution.replace(old, new) if old else solution)

    def run(self, exercise: Exercise, text: str, check: str | None = None, **options) -> Result:
        """One check (the first, if not said) on one text, in this process."""
        found = checks_of(exercise.check_path, [check or exercise.check_names()[0]])[0]
        options = {"limit": limit_of(found), **options}
        return run_check(found, Source(exercise.answer_path, text), **options)

    def grade(self, *args: str, encoding: str = "utf-8") -> Graded:
        """pytest in this process, on all checks unless `args` says which."""
        for name in [name for name in sys.modules if name.split(".")[0] == "checks"]:
            del sys.modules[name]  # pytest would take an earlier course's check of the same name.
        recorder, screen = _Recorder(), io.TextIOWrapper(io.BytesIO(), encoding, newline="\n")
        with contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
            code = pytest.main(self._arguments(args), plugins=[recorder])
        screen.seek(0)
        return Graded(int(code), screen.read(), recorder.states, recorder.texts)

    def cold(self, *args: str, seconds: float = 300) -> Graded:
        """pytest in a process of its own."""
        command = [sys.executable, "-m", "pytest", *self._arguments(args)]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, timeout=seconds)
        return Graded(done.returncode, done.stdout + done.stderr)

    def command(self, *args: str, **options) -> subprocess.CompletedProcess:
        """`tunelings …` in a process of its own."""
        command = [sys.executable, "-c", "from tunelings.commands.cli import main; main()", *args]
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, timeout=300, **options)

    def _arguments(self, args: tuple[str, ...]) -> list[str]:
        where = [] if any(a.partition("::")[0].endswith((".py", "checks")) for a in args) else ["checks/module01"]
        quiet = ["-p", "no:cacheprovider", "-p", "no:faulthandler", "-c", str(self.root / "pyproject.toml")]
        return [*quiet, *where, *args]


def build(root: Path) -> Miniature:
    """Write the small course into `root`."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "pyproject.toml", root)
    return Miniature(root)


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Miniature:
    """A fresh small course, as the working folder."""
    made = build(tmp_path / "course")
    enter(made, monkeypatch)
    return made


def enter(made: Miniature, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it the working folder, with nothing of the caller's environment that changes what is shown."""
    monkeypatch.chdir(made.root)
    # Runs inside this process may set it; a run in a process of its own needs the plugins.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "")
    for name in ("PYTEST_ADDOPTS", "VISUAL", "EDITOR", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
