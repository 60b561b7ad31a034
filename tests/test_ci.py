"""What runs before a commit and in CI: linters first, the README's test command as it is printed, exact versions."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import ROOT
from tests.support.systems import POSIX

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# A stand-in for each program that .ci/run starts: it writes down what it was asked, and fails where that holds $FAILS.
STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> "$ASKED"
case "$*" in $FAILS) exit 5;; esac
"""
RUFF, FORMAT, MYPY = "uv run ruff check", "uv run ruff format --check", "uv run mypy"
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTEST = README.partition("<!-- the test command -->\n```\n")[2].partition("\n")[0].removeprefix("pip install uv && ")
LINTERS = [RUFF, FORMAT, MYPY]


def run_ci(folder: Path, fails: str, readme: str = README) -> tuple[int, list[str]]:
    """The exit code of .ci/run, and the `uv run …` that it asked for."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci")
    (folder / "README.md").write_text(readme, encoding="utf-8")
    programs = folder / "programs"
    programs.mkdir()
    for name in ("pip", "uv", "chromium", "apt-get"):
        (programs / name).write_text(STAND_IN, encoding="utf-8")
        (programs / name).chmod(0o755)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "ASKED": str(folder / "asked"), "FAILS": fails}
    done = subprocess.run([folder / ".ci" / "run"], env=environment, capture_output=True, text=True)
    asked = (folder / "asked").read_text(encoding="utf-8").splitlines() if (folder / "asked").exists() else []
    return done.returncode, [line for line in asked if line.startswith("uv run")]


@POSIX
def test_the_linters_run_before_the_tests(tmp_path: Path):
    assert PYTEST.startswith("uv run pytest")
    assert run_ci(tmp_path, "nothing") == (0, [*LINTERS, PYTEST])


@POSIX
@pytest.mark.parametrize(
    ("fails", "asked"),
    [("*ruff?check*", [RUFF]), ("*format*", [RUFF, FORMAT]), ("*mypy*", LINTERS), ("*pytest*", [*LINTERS, PYTEST])],
)
def test_what_fails_ends_it(tmp_path: Path, fails: str, asked: list[str]):
    assert run_ci(tmp_path, fails) == (5, asked)


@POSIX
def test_versions_that_cannot_be_installed_end_it(tmp_path: Path):
    assert run_ci(tmp_path, "*constraints.txt*") == (5, [])


@POSIX
def test_a_readme_without_the_command_ends_it(tmp_path: Path):
    assert run_ci(tmp_path, "nothing", "# No command\n") == (1, [])


def test_the_hooks_of_a_commit_are_the_linters_of_ci():
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert local["repo"] == "local"
    entries = [re.sub(" --no-sync| --force-exclude", "", hook["entry"]) for hook in local["hooks"]]
    assert entries == LINTERS


def pins() -> dict[str, Version]:
    """constraints.txt, name -> version; each line is a name and a version alone."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [re.fullmatch(r"([a-z0-9-]+)==([0-9][0-9a-z.]*)", line) for line in lines if not line.startswith("#")]
    assert all(found), "a line of constraints.txt is more or less than name==version"
    return {one[1]: Version(one[2]) for one in found}


def test_the_constraints_are_sorted_names_and_versions():
    names = list(pins())
    assert names == sorted(set(names)) and all(name == canonicalize_name(name) for name in names)


def test_every_direct_dependency_has_a_pin_that_its_bound_allows():
    project = PROJECT["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values(), PROJECT["dependency-groups"]["dev"]]
    direct = [line for group in groups for line in group if not line.startswith("tunelings")]
    known = pins()
    wrong = []
    for requirement in map(Requirement, direct):
        pin = known.get(canonicalize_name(requirement.name))
        if pin is None or not requirement.specifier.contains(pin):
            wrong.append(f"{requirement}: constraints.txt has {pin}")
    assert wrong == []


def test_no_pin_hangs_on_one_platform():
    assert [name for name in pins() if name.startswith(("nvidia-", "cuda-")) or name == "triton"] == []


@pytest.mark.xdist_group("kept together")
def test_the_tests_of_a_group_run_in_one_process(request: pytest.FixtureRequest):
    """xdist writes the group behind a test's id; where it doesn't, each process makes all fixtures."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("only where tests run in several processes, by --dist loadgroup")
    assert request.node.nodeid.endswith("@kept together")
