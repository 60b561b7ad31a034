"""The commands of GitHub's workflows, executed as they stand there; only what lies outside is a stand-in."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.miniature import Miniature
from tests.support.runner import Asked, Runner, copy, rows
from tests.support.systems import POSIX
from tests.test_branch import clone, commit, git  # noqa: F401
from tests.test_workflows import WORKFLOWS, each_workflow, jobs, problem_with

pytestmark = POSIX
# What the commands read of a checkout, unless a stand-in takes their place.
PAGES = ("README.md", "docs/index.md", "docs/quick-start.md")
READ = (".ci", "CHANGELOG.md", *PAGES, "constraints.txt", "docs/assets/classroom/grade.yml", "pyproject.toml")
VERSION = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)[1]
DIST = [f"dist/tunelings-{VERSION}-py3-none-any.whl", f"dist/tunelings-{VERSION}.tar.gz"]
DOES = {"uv build": f"mkdir dist && touch {' '.join(DIST)}", "uv run mkdocs build": "mkdir site"}
REFERENCES = "uv run pytest checks --answers solutions -q"
PUBLISH = "uv publish --trusted-publishing always"
THE_ISSUE = "an issue, if they fail"
RUN = "https://github.com/somebody/tunelings/actions/runs/77"
BODY = f"{RUN} has the checks that fail and the versions that they fail with."


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The repository at a release: its owner is set, its changelog has a section for the version, no page denies it."""
    folder = tmp_path / "checkout"
    for name in READ:
        copy(ROOT / name, folder / name)
    replace(folder / "pyproject.toml", "OWNER", "somebody")
    replace(folder / "CHANGELOG.md", "## [Unreleased]", f"## [{VERSION}] - 2026-12-31")
    for name in PAGES:
        page = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(page.replace("The package isn't published yet", "Or"), encoding="utf-8")
    return folder


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def start(tmp_path: Path, checkout: Path):
    """Run a workflow, or what is given in its place; each run has a folder of its own."""

    def run(workflow: str | dict, **settings) -> Runner:
        folder = tmp_path / "runs" / str(len(list(tmp_path.glob("runs/*"))))
        runner = Runner(folder, **{"checkout": checkout, "ref": f"v{VERSION}", "does": DOES, **settings})
        return runner.run(WORKFLOWS[workflow] if isinstance(workflow, str) else workflow)

    return run


def lines(asked: list[Asked], *programs: str) -> list[str]:
    return [str(one) for one in asked if not programs or one.words[0] in programs]


@each_workflow
def test_every_step_runs_to_its_end_and_what_it_asks_for_is_there(start, name: str):
    run = start(name)
    written = [
        step["run"]
        for job in jobs(name).values()
        for row in rows(job)
        for step in job.get("steps", [])
        if "run" in step and step.get("name") != THE_ISSUE
    ]
    assert (run.failed, run.said, run.ran) == (set(), "", written)
    assert {str(one): problem_with(one.words) for one in run.asked if problem_with(one.words)} == {}


def with_one_row(name: str) -> dict:
    """A workflow of which each job runs once."""
    once = {job: {**what, "strategy": {"matrix": {"include": [next(rows(what))]}}} for job, what in jobs(name).items()}
    return {**WORKFLOWS[name], "jobs": once}


@each_workflow
def test_a_command_that_fails_ends_its_job(start, name: str):
    """Each command in its turn; after it, only a step with an `if` asks for anything in that job."""
    for line in dict.fromkeys(lines(start(with_one_row(name)).asked)):
        run = start(with_one_row(name), fails=line)
        at = lines(run.asked).index(line)
        job = run.asked[at].job
        assert job.removesuffix("-0") in run.failed, line
        assert [str(one) for one in run.asked[at + 1 :] if one.job == job and "if" not in one.step] == []


@pytest.mark.parametrize(
    ("number", "does"),
    [("", ["create", "--title", "{title}", "--body", BODY]), ("7", ["comment", "7", "--body", f"Again: {BODY}"])],
    ids=["none is open", "one is open"],
)
def test_the_canary_opens_an_issue_or_adds_to_the_open_one(start, number: str, does: list[str]):
    run = start("versions.yml", event="schedule", fails=REFERENCES, does={"gh issue list": f"echo {number}"})
    expected = []
    for versions in ("lowest", "newest"):
        title = f"The references fail with the {versions} versions"
        search = ["--state", "open", "--search", f'in:title "{title}"', "--json", "number", "--jq", "QUERY"]
        expected += [["list", *search], [word.format(title=title) for word in does]]
    asked = [one for one in run.asked if one.words[0] == "gh"]
    assert [one.words[2:] for one in asked] == [
        [word.replace("QUERY", ".[0].number // empty") for word in words] for words in expected
    ]
    assert all(one.environment["GH_TOKEN"] == "a-token" for one in asked)
    assert all(one.environment["GH_REPO"] == "somebody/tunelings" for one in asked)
    assert run.failed == {"references"} and lines(run.asked).count("uv pip freeze") == 2


@pytest.mark.parametrize(("event", "fails"), [("workflow_dispatch", REFERENCES), ("schedule", "")])
def test_no_issue_is_opened_by_hand_or_where_the_references_pass(start, event: str, fails: str):
    run = start("versions.yml", event=event, fails=fails)
    assert REFERENCES in lines(run.asked) and lines(run.asked, "gh") == []


def test_where_issues_cannot_be_listed_none_is_opened_a_second_time(start):
    run = start("versions.yml", event="schedule", fails=REFERENCES, does={"gh issue list": "exit 4"})
    assert [one.words[2] for one in run.asked if one.words[0] == "gh"] == ["list", "list"]


def test_a_tag_is_built_tried_published_and_announced_with_its_notes(start, checkout: Path):
    run = start("publish.yml")
    tag = f"v{VERSION}"
    assert lines(run.asked) == [
        "uv build",
        f"uvx --isolated --from {DIST[0]} tunelings --version",
        PUBLISH,
        f"gh release create {tag} --verify-tag --title {tag} --notes-file notes.md {' '.join(DIST)}",
    ]
    assert run.asked[-1].environment == {"GH_TOKEN": "a-token", "GH_REPO": "somebody/tunelings"}
    notes = (run.folder / "github-0" / "notes.md").read_text(encoding="utf-8")
    section = (checkout / "CHANGELOG.md").read_text(encoding="utf-8").partition("- 2026-12-31\n")[2]
    assert notes.strip() and notes.strip() == re.split(r"^## \[", section, flags=re.MULTILINE)[0].strip()


@pytest.mark.parametrize(
    ("settings", "tried"),
    [({"ref": "v99.0.0"}, False), ({"broken": ("tests",)}, False), ({"fails": PUBLISH}, True)],
    ids=["another version", "tests that fail", "no answer of PyPI"],
)
def test_what_is_not_to_be_published_is_not_announced(start, settings: dict, tried: bool):
    run = start("publish.yml", **settings)
    assert "github" in run.failed and lines(run.asked, "gh") == []
    assert (PUBLISH in lines(run.asked)) == tried


def test_the_site_is_built_for_the_address_at_which_it_is_published(start, checkout: Path):
    (build,) = (one for one in start("site.yml").asked if str(one).startswith("uv run mkdocs build"))
    assert f'Documentation = "{build.environment["SITE_URL"]}"' in (checkout / "pyproject.toml").read_text("utf-8")


def test_the_branch_of_solutions_takes_the_place_of_the_one_before(start, clone: Miniature, tmp_path: Path):
    """As the action checks out: one commit of main alone, and no settings of git."""
    origin = (tmp_path / "origin.git").as_uri()
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    git(clone.root, "push", "-q", origin, "main")
    commit(clone)
    git(clone.root, "push", "-q", origin, "HEAD:solutions")
    git(tmp_path, "clone", "-q", "--depth", "1", "--branch", "main", origin, "shallow")
    command = f'PYTHONPATH={ROOT} exec {sys.executable} -c "from tunelings.commands.cli import main; main()" dev branch'
    run = start("solutions.yml", checkout=tmp_path / "shallow", outside=("uv",), does={"uv run tunelings": command})
    assert run.failed == set(), run.said
    bare = tmp_path / "origin.git"
    assert git(bare, "rev-parse", "solutions^") == git(bare, "rev-parse", "main")
    assert "STATUS.md" in git(bare, "ls-tree", "--name-only", "solutions").splitlines()


@pytest.mark.parametrize(
    "step",
    [
        {"run": "echo ${{ github.actor }}"},
        {"run": "true", "if": "always()"},
        {"run": "true", "shell": "pwsh"},
        {"uses": "actions/cache@v5"},
    ],
    ids=["an expression", "a condition", "a key", "an action"],
)
def test_what_the_runner_does_not_know_fails(start, step: dict):
    with pytest.raises((KeyError, AssertionError)):
        start({"jobs": {"it": {"steps": [step]}}})
