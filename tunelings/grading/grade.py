"""Check exercises through pytest and the plugin, without pytest's screen.

What `tunelings run` and the watch loop show comes from here; the verdicts are those of
`pytest checks/…`, because the same plugin makes them.
"""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tunelings.course import Exercise
from tunelings.grading.plugin import Grader
from tunelings.grading.runs import Run
from tunelings.grading.verdict import Verdict

# Parts of pytest that no check uses; each costs a warm verdict a millisecond or more.
_UNUSED = (
    "cacheprovider",
    "doctest",
    "faulthandler",
    "junitxml",
    "logging",
    "pastebin",
    "stepwise",
    "terminal",
    "unittest",
)
# pytest-timeout is named because the automatic loading of all installed plugins is switched off.
_PLUGINS = [f"no:{name}" for name in _UNUSED] + ["pytest_timeout", "tunelings.grading.plugin"]


class _Listener:
    """Keeps the grader of a run, and what went wrong in collecting."""

    def __init__(self) -> None:
        self.grader: Grader | None = None
        self.error = ""

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self.grader = session.config.pluginmanager.get_plugin("tunelings-grader")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.error = self.error or str(report.longrepr)


class CheckError(Exception):
    """A check file cannot be run: the course's fault, not the learner's. `verdicts` are those of the other files."""

    def __init__(self, message: str, verdicts: Sequence[Verdict] = ()):
        super().__init__(message)
        self.verdicts = list(verdicts)


def check(
    exercises: list[Exercise], *, seed: int = 0, plugins: Sequence[object] = (), in_process: bool = False
) -> list[Verdict]:
    """Run the checks of some exercises of one course on the learner's answers, and keep the status.

    `plugins` are handed to pytest, to follow the run; `in_process`: the answers run here and in no child process.

    Raises:
        CheckError: a check file does not load.
    """
    runs, error = _run(exercises, ["--in-process"] * in_process, seed, plugins)
    verdicts = [run.verdict for run in runs]
    if error:
        raise CheckError(error, verdicts)
    return verdicts


def check_folder(exercise: Exercise, answers: Path, *, seed: int = 0) -> Run:
    """Run the checks of one exercise on the answer in a folder with the tree of `exercises/`; no status is kept.

    Raises:
        CheckError: the check file does not load.
    """
    runs, error = _run([exercise], [f"--answers={answers}"], seed, [])
    if error or not runs:
        raise CheckError(error or "no check has run")
    return runs[0]


def _run(exercises: list[Exercise], options: list[str], seed: int, plugins: Sequence[object]) -> tuple[list[Run], str]:
    """What is known of each exercise after its checks, and what went wrong in collecting them."""
    listener = _Listener()
    paths = [str(exercise.check_path) for exercise in exercises]
    root = exercises[0].root
    code = _run_pytest(
        root, ["--continue-on-collection-errors", f"--seed={seed}", *options, *paths], [listener, *plugins]
    )
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        if code == pytest.ExitCode.INTERRUPTED and not listener.error:
            raise KeyboardInterrupt
        raise CheckError(listener.error or f"pytest ended with exit code {code}")
    return list(listener.grader.runs.values()) if listener.grader else [], listener.error


def warm_up(needed: Iterable[str]) -> None:
    """Import everything, run pytest over nothing, and take it all out of the garbage collector's sight."""
    from tunelings.grading import functions, imports

    imports.import_all(["tunelings.grading.apart", "tunelings.grading.render", *needed])
    functions.prepare()
    rehearse()
    gc.collect()
    gc.freeze()


def rehearse() -> None:
    """Run pytest over an empty folder, so that all it imports is imported."""
    with tempfile.TemporaryDirectory(prefix="tunelings-") as folder:
        _run_pytest(folder, [folder], [])


def _run_pytest(root: str | Path, args: list[str], plugins: list[object]) -> int:
    chosen = [word for name in _PLUGINS for word in ("-p", name)]
    variable = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
    before = os.environ.get(variable)
    os.environ[variable] = "1"
    # Without confcutdir, pytest looks at every file of every folder above the course.
    places = ["-c", os.devnull, f"--rootdir={root}", f"--confcutdir={root}"]
    try:
        return pytest.main([*places, *chosen, "--import-mode=importlib", *args], plugins=plugins)
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before
