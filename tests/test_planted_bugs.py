"""Bugs of the kind that a change of the package brings in, planted one at a time: the project's own tests notice each.

`tests/planted_bugs/*.toml` lists them: in a copy of the project `old` becomes `new`, and then one of `tests` must fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest import ExitCode

from tests.conftest import ROOT
from tests.support.systems import link_or_copy

LISTS = sorted((ROOT / "tests" / "planted_bugs").glob("*.toml"))
AT_LEAST = 40
_TREES = ("benchmarks", "checks", "docs", "exercises", "figures", "solutions", "tests", "tunelings", ".github", ".ci")


@dataclass(frozen=True)
class Bug:
    """`old` stands once in `file`; with `new` in its place one of `tests` fails. `says` is what would break."""

    file: str
    old: str
    new: str
    says: str
    tests: tuple[str, ...]


def listed() -> list[Bug]:
    entries = [bug for path in LISTS for bug in tomllib.loads(path.read_text(encoding="utf-8"))["bugs"]]
    return [Bug(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]


BUGS = listed()


def name_of(bug: Bug) -> str:
    return f"{Path(bug.file).name}: {bug.says}"


def test_there_are_enough_of_them_and_each_is_told_apart():
    assert len(BUGS) >= AT_LEAST
    assert len({name_of(bug) for bug in BUGS}) == len(BUGS)


@pytest.mark.parametrize("bug", BUGS, ids=name_of)
def test_a_bug_can_be_planted(bug: Bug):
    text = (ROOT / bug.file).read_text(encoding="utf-8")
    assert text.count(bug.old) == 1, f"{bug.file} holds {bug.old!r} {text.count(bug.old)} times, not once"
    compile(text.replace(bug.old, bug.new), bug.file, "exec")
    for test in bug.tests:
        file, _, name = test.partition("[")[0].partition("::")
        assert (ROOT / file).is_file(), f"{test} is missing"
        assert not name or f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), f"{test} is missing"


@pytest.fixture(scope="module")
def copy_of_the_project(tmp_path_factory) -> Path:
    """A copy to plant bugs in, with links to what no test changes."""
    root = tmp_path_factory.mktemp("planted") / "project"
    root.mkdir()
    for tree in _TREES:
        if (ROOT / tree).is_dir():
            shutil.copytree(ROOT / tree, root / tree, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, root / path.name)
    link_or_copy(root / "data", ROOT / "data")
    return root


@pytest.mark.sweep
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("bug", BUGS, ids=name_of)
def test_a_planted_bug_is_noticed(bug: Bug, copy_of_the_project: Path):
    path = copy_of_the_project / bug.file
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(bug.old, bug.new), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(copy_of_the_project), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header", *bug.tests]
    try:
        done = subprocess.run(command, cwd=copy_of_the_project, env=environment, capture_output=True, text=True)
    finally:
        path.write_text(text, encoding="utf-8")
    said = f"{done.stdout[-2000:]}{done.stderr[-1000:]}"
    # A bug may also end the whole run: pytest calls that an interrupt.
    assert done.returncode in (ExitCode.TESTS_FAILED, ExitCode.INTERRUPTED), (
        f"{bug.says}: {', '.join(bug.tests)} do not notice.\n{said}"
    )
