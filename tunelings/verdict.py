"""Check exercises through pytest and the plugin, without pytest's screen.

What `tunelings run` and the watch loop show comes from here; the verdicts are those of
`pytest checks/…`, because the same plugin makes them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tunelings.course import Exercise

# pytest-timeout is named because the automatic loading of all installed plugins is switched off.
_QUIET = ["-p", "no:terminal", "-p", "no:cacheprovider", "-p", "pytest_timeout", "-p", "tunelings.plugin"]


@dataclass(frozen=True)
class Verdict:
    """What the checks said of one answer.

    state: "passed", "failed", "not started" or "in progress".
    checks: the outcome of each check that ran, in order.
    text: the explained failure; empty when all passed.
    """

    number: str
    state: str
    checks: dict[str, str]
    text: str = ""


OnCheck = Callable[[str, str, str], None]  # exercise number, check name, outcome


class _Listener:
    """Keeps the grader of a run, and passes each outcome on."""

    def __init__(self, on_check: OnCheck | None):
        self.on_check = on_check
        self.grader = None
        self.error = ""

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self.grader = session.config.pluginmanager.get_plugin("tunelings-grader")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.error = str(report.longrepr)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        state = getattr(report, "tunelings_state", None)
        if state and self.on_check:
            number = next(run.exercise.number for p, run in self.grader.runs.items() if str(p).endswith(report.fspath))
            self.on_check(number, report.nodeid.rpartition("::")[2], state)


class CheckError(Exception):
    """A check file cannot be run: the course's fault, not the learner's."""


def check(exercises: list[Exercise], *, seed: int = 0, on_check: OnCheck | None = None) -> list[Verdict]:
    """Run the checks of some exercises of one course on the learner's answers, and keep the status.

    Raises:
        CheckError: a check file does not load.
    """
    root = exercises[0].root
    listener = _Listener(on_check)
    paths = [str(exercise.check_path) for exercise in exercises]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    args = [*_QUIET, "--import-mode=importlib", f"--rootdir={root}", f"--seed={seed}", *paths]
    code = pytest.main(["-c", os.devnull, "-o", "addopts=", *args], plugins=[listener])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        if code == pytest.ExitCode.INTERRUPTED and not listener.error:
            raise KeyboardInterrupt
        raise CheckError(listener.error or f"pytest ended with exit code {code}")
    return [_verdict(run) for run in listener.grader.runs.values()]


def _verdict(run) -> Verdict:
    checks = {name: result.status for name, result in run.results.items()}
    text = next(iter(run.texts.values()), "")
    return Verdict(run.exercise.number, run.state, checks, text)
