"""The pytest plugin: runs checks on answers, turns failures into text, and keeps the status.

    pytest checks/module01 [--answers DIR] [--seed N] [-m gpu]

pytest keeps its own options, exit codes and reports; this plugin acts on files of a course's `checks/` only.

The checks of an exercise run in a child process (`apart.py`), one after the other; this process decides, reports and
keeps the status, and never runs an answer. With a debugger (`--pdb`, `--trace`), with `--in-process`, and where
processes are not forked, they run here; pytest-timeout then ends what cannot be interrupted.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from _pytest.outcomes import Failed

from tunelings.course import SENTINEL, Course
from tunelings.grading import environment, render, runs, temporary
from tunelings.grading.items import (
    exercise_of,
    has_gpu,
    is_debugged,
    is_full_run,
    limit_for,
    task_of,
    tasks_of,
    uses_gpu_already,
    warm_up,
    warn_again,
)  # fmt: skip
from tunelings.grading.limits import GRACE, hard_limit
from tunelings.grading.runs import Run
from tunelings.grading.states import CheckState
from tunelings.grading.store import Progress
from tunelings.grading.text import WIDTH, fitted, printable
from tunelings.grading.verdict import Failure

if TYPE_CHECKING:  # torch is imported when a check runs.
    from tunelings.grading.apart import Apart
    from tunelings.grading.judge import Judgement
    from tunelings.grading.spawned import Spawned


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tunelings", "the course's checks")
    group.addoption("--answers", metavar="DIR", help="check the answers in DIR (default: exercises)")
    group.addoption("--seed", type=int, default=0, metavar="N", help="change all random inputs (default: 0)")
    group.addoption("--in-process", action="store_true", help="run the checks in pytest's own process (for a debugger)")
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
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",  # Looking for a GPU must not start CUDA, which does not survive a fork.
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


class DidNotPass(Failed):
    """A check did not pass; what there is to say of it is in its exercise's `Run`, and no traceback is made."""

    def __init__(self, check: str):
        super().__init__(check, pytrace=False)


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
        self.stores: dict[Path, Progress] = {}
        self.apart: Apart | Spawned | None = None

    def run_of(self, item: pytest.Item) -> Run | None:
        """The run that an item belongs to; None for a test that is not a check of a course."""
        path = item.path
        if path in self.runs:
            return self.runs[path]
        exercise = exercise_of(path)
        if exercise is None:
            return None
        folder = Path(self.answers_option) if self.answers_option else exercise.root / "exercises"
        self.runs[path] = runs.begin(exercise, (folder / exercise.relative_path).absolute())
        return self.runs[path]

    @pytest.fixture
    def answer(self):
        """The learner's answer, loaded afresh for each check (by the grader, inside the time limit)."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        asked_for = self.config.getoption("markexpr")
        for item in items:
            if exercise_of(item.path) is None:
                continue
            # Zero is no limit: a child process is ended by `apart.py`.
            limit = 0 if self._runs_apart(item) else hard_limit(limit_for(item)) + GRACE
            item.add_marker(pytest.mark.timeout(limit, method="thread", func_only=True), append=False)
            for mark in ("gpu", "real"):
                if item.get_closest_marker(mark) and mark not in asked_for:
                    item.add_marker(pytest.mark.skip(reason=f"a full run: ask for it with -m {mark}"))
            if item.get_closest_marker("gpu") and "gpu" in asked_for and not has_gpu():
                item.add_marker(pytest.mark.skip(reason="this full run needs a CUDA GPU, and torch sees none"))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:  # Before any answer runs: what one deletes or writes changes no other's verdict.
            if run := self.run_of(item):
                self._progress(run)
                if not item.get_closest_marker("skip"):
                    run.awaited.add(item.name)
        gc.freeze()  # What was imported will not be freed: keep the collector from walking torch's heap.
        atexit.register(gc.unfreeze)  # Some libraries complain at exit where their objects are not collected.

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None):
        try:
            return (yield)
        finally:
            if self.apart and not self.apart.is_for_all and (nextitem is None or nextitem.path != item.path):
                self._end_apart()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if self.run_of(item) is not None:
            temporary.restore(item.config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        run = self.run_of(pyfuncitem)
        if run is None:
            return None
        judgement = self._judgement(pyfuncitem, run)
        name = pyfuncitem.name
        if judgement.skipped is not None:
            run.awaited.discard(name)
            pytest.skip(judgement.skipped)
        if judgement.state != CheckState.NOT_STARTED:
            run.checks[name] = judgement.state
        if judgement.state == CheckState.PASSED:
            return True
        if judgement.fingerprint:
            run.fingerprints[name] = judgement.fingerprint
        run.failures[name] = judgement.failure or Failure(name, judgement.state)
        if judgement.state == CheckState.TIMEOUT:
            run.late = run.late or name
        if judgement.error is not None and self.config.getoption("usepdb"):
            raise judgement.error
        raise DidNotPass(name)

    def _judgement(self, item: pytest.Function, run: Run) -> Judgement:
        """What the check says of the answer."""
        from tunelings.grading.judge import Judgement, judge, not_loaded

        if run.problem:
            return Judgement(CheckState.BROKEN, not_loaded(item.obj, run.answer_path, run.problem))
        if run.open_todos is None:
            error = NotImplementedError(SENTINEL)
            return Judgement(CheckState.NOT_STARTED, Failure(item.name, CheckState.NOT_STARTED), error=error)
        if run.late:
            said = f"not run: the check before it ({run.late}) ran out of time"
            return Judgement(CheckState.NOT_RUN, Failure(item.name, CheckState.NOT_RUN, message=said))
        if not self._runs_apart(item):
            judgement = judge(task_of(item, run, self.seed))
        else:
            judgement = self._ask(item, run)
        if judgement.skipped is not None and not is_full_run(item):  # No child's word ends a check without a verdict.
            said = "the answer ends the check: Skipped"
            judgement = Judgement(CheckState.ESCAPED, Failure(item.name, CheckState.ESCAPED, message=said))
        run.explained = run.explained or judgement.state.is_failure
        return judgement

    def _ask(self, item: pytest.Function, run: Run) -> Judgement:
        """Have the check run in a child process."""
        from tunelings.grading import apart, spawned

        request = spawned.request_of(task_of(item, run, self.seed))
        if set(item._fixtureinfo.argnames) - {"answer", "tmp_path"}:  # Other fixtures' values come with the fork.
            self._end_apart()
        if self.apart is None or self.apart.is_over:
            warm_up(item, run)
            self.apart = apart.Apart(tasks_of(item, run, self.seed)) if apart.can_fork() else spawned.Spawned()
        reply = self.apart.ask(request, limit_for(item), memory_is_limited=not is_full_run(item))
        for one in reply.warnings:
            warn_again(**one)
        return reply.judgement_of(item.name)

    def _runs_apart(self, item: pytest.Item) -> bool:
        in_process = self.config.getoption("in_process", False) or is_debugged(self.config)
        return not in_process and not uses_gpu_already(item)

    def _end_apart(self) -> None:
        if self.apart is not None:
            self.apart.end()
        self.apart = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo):
        report = yield
        run = self.run_of(item)
        if run is None:
            return report
        failure = run.failures.get(item.name)
        if report.failed and failure is None and call.when != "teardown":
            run.could_not_run(item.name, call.excinfo.typename if call.excinfo else "an error")
        if call.when != "call" or report.outcome == "skipped":
            return report
        report.tunelings_state = report.outcome
        if report.failed and failure is not None:
            report.tunelings_state = failure.state.word if failure.state in _UNFINISHED else report.outcome
            text = "\n".join(render.failure_lines(run.verdict, failure))
            report.longrepr = FailureText(printable(fitted(text, WIDTH), getattr(sys.stdout, "encoding", None)))
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport):
        """Count what is not begun apart from what is wrong; pytest's exit code counts both as failed."""
        word = getattr(report, "tunelings_state", "")
        letter = {state.word: letter for state, letter in _UNFINISHED.items()}.get(word)
        return (word, letter, word.upper()) if letter else None

    def pytest_sessionfinish(self) -> None:
        self._end_apart()
        temporary.tidy(self.config, answers_ran=bool(self.runs))
        for run in self.runs.values():
            is_learners = run.answer_path == run.exercise.answer_path.absolute()
            if is_learners and self.seed == 0 and run.content_hash and run.has_run:
                progress = self._progress(run)
                progress.restore_if_damaged()
                progress.record(run.exercise, run.content_hash, run.checks)

    def _progress(self, run: Run) -> Progress:
        """The store of the course that an exercise belongs to, held as it was before its answers ran."""
        root = run.exercise.root
        if root not in self.stores:
            self.stores[root] = Progress(Course(root))
            self.stores[root].keep()
        return self.stores[root]

    def pytest_terminal_summary(self, terminalreporter) -> None:
        ran = [run.verdict for run in self.runs.values() if run.has_run]
        if not ran:
            return  # Nothing but full runs that were skipped.
        terminalreporter.section("what to do next", sep="=")
        for line in render.summary(ran):
            terminalreporter.write_line(printable(line, getattr(sys.stdout, "encoding", None)))
