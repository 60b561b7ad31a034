"""The pytest plugin: runs checks on answers, turns failures into text, and keeps the status.

    pytest checks/module01 [--answers DIR] [--seed N] [-m gpu]

pytest keeps its own options, exit codes and reports; this plugin acts on files of a course's `checks/` only.
A check that runs out of its time fails like any other. Where it cannot be interrupted (Windows has no
alarm signal, and a library's C++ code heeds none), pytest-timeout ends the run a little later.
"""

from __future__ import annotations

import atexit
import gc
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tunelings.course import SENTINEL, Course, CourseError, Exercise
from tunelings.grading import answers, environment, render
from tunelings.grading.states import CheckState, ExerciseState
from tunelings.grading.store import Progress, content_hash
from tunelings.grading.text import WIDTH, fitted, printable
from tunelings.grading.verdict import Failure, Verdict

if TYPE_CHECKING:  # torch is imported when a check runs.
    from tunelings.grading.run import Result

# Seconds that pytest-timeout waits beyond a check's own limit before it ends the run.
GRACE = 20


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tunelings", "the course's checks")
    group.addoption("--answers", metavar="DIR", help="check the answers in DIR (default: exercises)")
    group.addoption("--seed", type=int, default=0, metavar="N", help="change all random inputs (default: 0)")
    group.addoption("--model", metavar="NAME_OR_PATH", help="the model of the full runs: a hub name or a folder")


MARKS = {
    "gpu": "a full run that needs a CUDA GPU",
    "real": "a run with real data or a real model that takes minutes on a CPU",
    "trains": "trains for seconds; known mistakes are told apart by the other checks",
}


# The letters of pytest's progress line for what is not wrong but not finished.
_UNFINISHED = {CheckState.NOT_STARTED: "o", CheckState.TODO: "~"}

# What the libraries of modules 2 to 5 read from the environment when they are imported.
_ENVIRONMENT = {
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}


def pytest_configure(config: pytest.Config) -> None:
    asked_for = config.getoption("markexpr", "")
    offline = {} if "gpu" in asked_for or "real" in asked_for else {"HF_HUB_OFFLINE": "1"}
    for name, value in {**_ENVIRONMENT, **offline}.items():
        os.environ.setdefault(name, value)
    if model := config.getoption("model"):
        os.environ["TUNELINGS_MODEL"] = model  # read by models.chosen
    for name, meaning in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    config.pluginmanager.register(Grader(config), "tunelings-grader")


@dataclass
class FailureText:
    """The text of a failure; as a plain string pytest would print all of it once more in its summary under CI."""

    text: str

    def __str__(self) -> str:
        return self.text

    def toterminal(self, writer) -> None:
        writer.line(self.text)


@dataclass
class Run:
    """What is known of one exercise during one pytest run."""

    exercise: Exercise
    answer_path: Path
    content_hash: str
    source: answers.Source | None = None
    problem: answers.AnswerError | None = None
    open_todos: list[str] | None = field(default_factory=list)  # None: not started
    results: dict[str, Result] = field(default_factory=dict)  # by the check's name
    failures: dict[str, Failure] = field(default_factory=dict)  # likewise
    explained: bool = False

    @property
    def has_run(self) -> bool:
        return bool(self.results) or self.open_todos is None

    @property
    def checks(self) -> dict[str, CheckState]:
        return {name: result.state for name, result in self.results.items()}

    @property
    def state(self) -> ExerciseState:
        if self.open_todos is None:
            return ExerciseState.NOT_STARTED
        states = set(self.checks.values())
        if states <= {CheckState.PASSED}:
            return ExerciseState.PASSED
        only_todos = states <= {CheckState.PASSED, CheckState.TODO}
        return ExerciseState.IN_PROGRESS if only_todos else ExerciseState.FAILED

    @property
    def verdict(self) -> Verdict:
        return Verdict(
            self.exercise.number,
            self.exercise.title,
            self.exercise.lesson_address,
            self.answer_path.as_posix(),
            self.state,
            self.checks,
            next(iter(self.failures.values()), None),
        )


class Grader:
    """Runs the checks of `checks/moduleNN/test_exNN_name.py` and reports on them."""

    def __init__(self, config: pytest.Config):
        self.config = config
        self.seed: int = config.getoption("seed")
        self.answers_option: str | None = config.getoption("answers")
        if wrong := environment.problem():
            raise pytest.UsageError(wrong)
        if self.answers_option and not Path(self.answers_option).is_dir():
            raise pytest.UsageError(f"--answers {self.answers_option}: there is no such folder")
        self.runs: dict[Path, Run] = {}

    def run_of(self, item: pytest.Item) -> Run | None:
        """The run that an item belongs to; None for a test that is not a check of a course."""
        path = item.path
        if path in self.runs:
            return self.runs[path]
        exercise = exercise_of(path)
        if exercise is None:
            return None
        folder = Path(self.answers_option) if self.answers_option else exercise.root / "exercises"
        answer_path = (folder / exercise.relative_path).absolute()
        run = Run(exercise, answer_path, content_hash(exercise))
        try:
            run.source = answers.read(answer_path)
            run.open_todos = answers.todo_state(run.source, exercise.solution_path)
        except answers.AnswerError as error:
            run.problem = error
        self.runs[path] = run
        return run

    @pytest.fixture
    def answer(self):
        """The learner's answer, loaded afresh for each check (by the grader, inside the time limit)."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        asked_for = self.config.getoption("markexpr")
        for item in items:
            if exercise_of(item.path) is None:
                continue
            limit = _limit(item) + GRACE
            item.add_marker(pytest.mark.timeout(limit, method="thread", func_only=True), append=False)
            for mark in ("gpu", "real"):
                if item.get_closest_marker(mark) and mark not in asked_for:
                    item.add_marker(pytest.mark.skip(reason=f"a full run: ask for it with -m {mark}"))
            if item.get_closest_marker("gpu") and "gpu" in asked_for and not _has_gpu():
                item.add_marker(pytest.mark.skip(reason="this full run needs a CUDA GPU, and torch sees none"))

    def pytest_collection_finish(self) -> None:
        gc.freeze()  # What was imported will not be freed: keep the collector from walking torch's heap.
        atexit.register(gc.unfreeze)  # Some libraries complain at exit where their objects are not collected.

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        run = self.run_of(pyfuncitem)
        if run is None:
            return None
        from tunelings.grading.run import run_check

        if run.source is None or run.problem:
            raise run.problem or answers.AnswerError("the file could not be read")
        if run.open_todos is None:
            raise NotImplementedError(SENTINEL)
        names = pyfuncitem._fixtureinfo.argnames
        result = run_check(
            pyfuncitem.obj,
            run.source,
            seed=self.seed,
            limit=_limit(pyfuncitem),
            fixtures={name: pyfuncitem.funcargs[name] for name in names if name != "answer"},
        )
        run.results[pyfuncitem.name] = result
        if result.error is not None:
            raise result.error
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo):
        report = yield
        run = self.run_of(item)
        if run is None or call.when != "call" or report.outcome == "skipped":
            return report
        report.tunelings_state = report.outcome
        if report.failed and call.excinfo and isinstance(item, pytest.Function):
            failure = run.failures[item.name] = self._explain(item, run, call.excinfo.value)
            report.tunelings_state = failure.state.word if failure.state in _UNFINISHED else report.outcome
            text = "\n".join(render.failure_lines(run.verdict, failure))
            report.longrepr = FailureText(printable(fitted(text, WIDTH), getattr(sys.stdout, "encoding", None)))
        return report

    def _explain(self, item: pytest.Function, run: Run, error: BaseException) -> Failure:
        """The failure of a check; the first of an exercise is compared with the known mistakes."""
        from tunelings.grading import diagnose
        from tunelings.grading.failures import failure_of
        from tunelings.grading.run import Result

        if run.open_todos is None:
            return Failure(item.name, CheckState.NOT_STARTED)
        if item.name not in run.results:
            run.results[item.name] = Result(item.name, CheckState.BROKEN, error)
        result = run.results[item.name]
        if result.state == CheckState.TODO:
            return Failure(item.name, CheckState.TODO, todos=tuple(run.open_todos))
        named, trouble = None, ""
        if run.source and not run.explained and not result.state.ends_the_run and not _is_full_run(item):
            run.explained = True
            try:
                named = diagnose.diagnose(run.exercise, run.source, item.name, self.seed)
            except CourseError as card_error:
                trouble = str(card_error)
        return failure_of(item.obj, result, run.answer_path, diagnosis=named, trouble=trouble)

    def pytest_report_teststatus(self, report: pytest.TestReport):
        """Count what is not begun apart from what is wrong; pytest's exit code counts both as failed."""
        word = getattr(report, "tunelings_state", "")
        letter = {state.word: letter for state, letter in _UNFINISHED.items()}.get(word)
        return (word, letter, word.upper()) if letter else None

    def pytest_sessionfinish(self) -> None:
        for run in self.runs.values():
            is_learners = run.answer_path == run.exercise.answer_path.absolute()
            if is_learners and self.seed == 0 and run.content_hash and run.has_run:
                Progress(Course(run.exercise.root)).record(run.exercise, run.content_hash, run.checks)

    def pytest_terminal_summary(self, terminalreporter) -> None:
        ran = [run.verdict for run in self.runs.values() if run.has_run]
        if not ran:
            return  # Nothing but full runs that were skipped.
        terminalreporter.section("what to do next", sep="=")
        for line in render.summary(ran):
            terminalreporter.write_line(printable(line, getattr(sys.stdout, "encoding", None)))


def exercise_of(path: Path) -> Exercise | None:
    """The exercise that a check file belongs to, by its place: ROOT/checks/moduleNN/test_exNN_name.py."""
    module, checks = path.parent, path.parent.parent
    in_place = checks.name == "checks" and re.fullmatch(r"module\d\d", module.name)
    if not in_place or not re.fullmatch(r"test_ex\d\d_\w+\.py", path.name):
        return None
    return Exercise(checks.parent, module.name, path.stem.removeprefix("test_"))


def _limit(item: pytest.Item) -> float:
    from tunelings.grading.run import limit_of

    return limit_of(getattr(item, "obj", None))


def _is_full_run(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(mark) for mark in ("gpu", "real"))


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
