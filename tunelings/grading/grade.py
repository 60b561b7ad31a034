"""Check exercises through pytest and the plugin, without pytest's screen.

What `tunelings run` and the watch loop show comes from here; the verdicts are those of
`pytest checks/…`, because the same plugin makes them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence

import pytest

from tunelings.course import Exercise
from tunelings.grading.plugin import Grader
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
    root = exercises[0].root
    listener = _Listener()
    paths = [str(exercise.check_path) for exercise in exercises]
    code = _run_pytest(
        [
            "--continue-on-collection-errors",
            f"--rootdir={root}",
            f"--seed={seed}",
            *["--in-process"] * in_process,
            *paths,
        ],
        [listener, *plugins],
    )
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        if code == pytest.ExitCode.INTERRUPTED and not listener.error:
            raise KeyboardInterrupt
        raise CheckError(listener.error or f"pytest ended with exit code {code}")
    runs = listener.grader.runs if listener.grader else {}
    verdicts = [run.verdict for run in runs.values()]
    if listener.error:
        raise CheckError(listener.error, verdicts)
    return verdicts


def rehearse() -> None:
    """Run pytest over an empty folder, so that all it imports is imported."""
    with tempfile.TemporaryDirectory(prefix="tunelings-") as folder:
        _run_pytest([f"--rootdir={folder}", folder], [])


def _run_pytest(args: list[str], plugins: list[object]) -> int:
    chosen = [word for name in _PLUGINS for word in ("-p", name)]
    variable = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
    before = os.environ.get(variable)
    os.environ[variable] = "1"
    try:
        return pytest.main(["-c", os.devnull, *chosen, "--import-mode=importlib", *args], plugins=plugins)
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before
