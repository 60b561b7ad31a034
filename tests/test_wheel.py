"""The wheel as a newcomer gets it: built, installed into a fresh environment, and driven from a stub to a pass."""

from __future__ import annotations

import email.policy
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import markdown
import pytest

from tests.conftest import COURSE, ROOT

LARGEST = 30_000_000  # bytes, of the wheel and of the sdist
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXERCISE = COURSE.find("1.01")
pytestmark = pytest.mark.xdist_group("wheel")  # Built once, by one process.


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> dict[str, Path]:
    """The wheel and the sdist, by their endings, made by the project's own build backend."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.suffix: path for path in folder.iterdir()}


@pytest.fixture(scope="session")
def newcomer(built, tmp_path_factory) -> Path:
    """A fresh environment with the wheel; the libraries are those of the running one, so that none is downloaded."""
    folder = tmp_path_factory.mktemp("newcomer")
    venv.create(folder / "env", with_pip=False, symlinks=os.name != "nt")
    python = folder / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--no-compile"]
    done = subprocess.run([*pip, "--quiet", str(built[".whl"])], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (packages,) = folder.glob("env/**/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder


def tunelings(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """The installed command, without a terminal, and with nothing of this checkout in its way."""
    (command,) = (folder / "env").glob("*/tunelings*")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
    where = folder / "mine" if (folder / "mine").exists() else folder
    options = {"env": environment, "stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    return subprocess.run([str(command), *args], cwd=where, encoding="utf-8", timeout=300, **options)


def test_wheel_and_sdist_are_small(built):
    sizes = {path.name: path.stat().st_size for path in built.values()}
    assert set(built) == {".whl", ".gz"} and max(sizes.values()) < LARGEST, sizes


def test_the_wheel_carries_what_git_has_and_nothing_else(built):
    names = zipfile.ZipFile(built[".whl"]).namelist()
    carried = {name.removeprefix("tunelings/shipped/") for name in names if name.startswith("tunelings/shipped/")}
    git = ["git", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    trees = ("solutions/", "checks/", "docs/", "figures/results/", "data/", ".vscode/")
    expected = {name for name in listed if name.startswith(trees)} | {"mkdocs.yml", "CONTRIBUTING.md"}
    assert carried == {name for name in expected if (ROOT / name).exists()}
    assert not [name for name in names if name.startswith(("tests/", "exercises/"))]


def described(wheel: Path) -> str:
    """The page of the project on PyPI, in Markdown."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name), policy=email.policy.default)
    assert metadata["Description-Content-Type"] == "text/markdown"
    return metadata.get_payload()


def addresses(text: str) -> list[str]:
    """Where the links and the pictures of a Markdown text lead."""
    return re.findall(r'(?:href|src)="([^"]*)"', markdown.markdown(text, extensions=["tables", "fenced_code"]))


def test_no_link_or_picture_of_the_page_on_pypi_is_relative(built):
    """They lead to a page that the site has, or to a file of the release, at the addresses of [project.urls]."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    repository, version = project["urls"]["Repository"], project["version"]
    relative = [one for one in addresses(README) if not one.startswith("https:")]
    leads = {}
    for one in relative:
        page = re.fullmatch(r"docs/([\w-]+)\.md", one)
        there = f"{repository}/blob/v{version}/{one}"
        if one.endswith(".svg"):
            there = f"{repository.replace('github.com', 'raw.githubusercontent.com')}/v{version}/{one}"
        leads[one] = f"{project['urls']['Documentation']}{page[1]}/" if page else there
    assert {"docs/own-model.md", "docs/assets/loop-dark.svg", "LICENSE"} <= set(relative)
    assert all((ROOT / one).is_file() for one in relative)
    assert addresses(described(built[".whl"])) == [leads.get(one, one) for one in addresses(README)]


def test_from_the_wheel_to_a_pass_and_an_update(newcomer: Path):
    said = tunelings(newcomer, "init", "mine")
    assert (said.returncode, said.stderr) == (0, ""), said.stderr
    assert said.stdout == f"The course is in mine: {len(COURSE.exercises)} exercises.\nNext: cd mine, then tunelings.\n"
    mine = newcomer / "mine"
    answer = mine / EXERCISE.answer_path.relative_to(ROOT)
    assert answer.read_bytes() == EXERCISE.answer_path.read_bytes()

    answer.write_bytes(EXERCISE.solution_path.read_bytes())
    said = tunelings(newcomer, "run", EXERCISE.number)
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.startswith(f"✓ {EXERCISE.number} {EXERCISE.title}: all ")
    assert f"[x] {EXERCISE.number}" in (mine / "STATUS.md").read_text(encoding="utf-8")

    check = mine / EXERCISE.check_path.relative_to(ROOT)
    check.unlink()
    said = tunelings(newcomer, "update")
    assert said.returncode == 0 and "1 new or newer in checks" in said.stdout, said.stdout + said.stderr
    assert check.read_bytes() == EXERCISE.check_path.read_bytes()
    assert answer.read_bytes() == EXERCISE.solution_path.read_bytes()
    assert f"{EXERCISE.number}    {EXERCISE.title}" in tunelings(newcomer, "list").stdout
