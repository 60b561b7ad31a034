"""The files that a classroom copies ask for what the project has."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from tests.conftest import ROOT
from tests.test_workflows import SAFE, actionlint, problem_with_install
from tunelings import repository
from tunelings.commands import more

FOLDER = ROOT / "docs" / "assets" / "classroom"
WORKFLOW = FOLDER / "grade.yml"
RUN_AUTOGRADER = ROOT / "tunelings" / "classroom" / "gradescope_files" / "run_autograder"


def parsed(words: list[str]) -> dict:
    """The options of a `tunelings grade …` as the command line reads them; an unknown one is an error."""
    command = typer.main.get_command(more.app).commands["grade"]
    return command.make_context("grade", words).params


def steps() -> list[dict]:
    (job,) = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"].values()
    assert job["timeout-minutes"] <= 120
    return job["steps"]


def test_the_workflow_has_no_rights_and_its_actions_are_pinned():
    workflow = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    assert workflow["permissions"] == SAFE and workflow["concurrency"]
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used and all(re.fullmatch(r"(actions|astral-sh)/[a-z-]+@v\d+", one) for one in used)
    checkouts = [step["with"] for step in steps() if step.get("uses", "").startswith("actions/checkout")]
    assert [one["path"] for one in checkouts] == ["submission", "course"]
    assert not [one for one in checkouts if one["persist-credentials"]]


def test_what_the_workflow_runs_is_there():
    lines = [shlex.split(step["run"]) for step in steps() if "run" in step]
    (grading,) = (line for line in lines if "grade" in line)
    assert grading[:4] == ["uv", "run", "tunelings", "grade"]
    options = parsed(grading[4:])
    assert (Path(options["single"]), options["only"]) == (Path("../submission"), "module01")
    (install,) = (line for line in lines if line[:3] == ["uv", "pip", "install"])
    assert problem_with_install(install[3:]) == ""


def test_actionlint_finds_nothing():
    assert actionlint(str(WORKFLOW)) == (0, "")


def test_gradescope_s_script_asks_for_options_that_are_there():
    (line,) = (line for line in RUN_AUTOGRADER.read_text("utf-8").splitlines() if "tunelings grade --single" in line)
    options = parsed(shlex.split(line)[2:-1])  # The last stands for the instructor's own.
    assert options["gradescope"] and Path(options["single"]) == Path("/autograder/submission")


@pytest.mark.parametrize(
    ("code", "wrote", "ends"), [(0, True, None), (1, True, None), (3, True, None), (4, True, 1), (0, False, 1)]
)
def test_classroom_50_s_script_leaves_a_result_only_of_a_run_that_ended(tmp_path, monkeypatch, code, wrote, ends):
    """Its commands are noted and not run; that of `tunelings grade` ends as it is told."""
    script = runpy.run_path(str(FOLDER / "autograder.py"))
    ran = []

    def run(*command: str, cwd: Path | None = None) -> int:
        ran.append(list(command))
        if "grade" not in command:
            return 0
        result = tmp_path / "tunelings/graded/classroom50/result.json"
        result.parent.mkdir(parents=True)
        if wrote:
            result.write_text("{}", encoding="utf-8")
        return code

    monkeypatch.setitem(script["main"].__globals__, "run", run)
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))
    monkeypatch.setenv("UV_TORCH_BACKEND", "")
    (tmp_path / "student").mkdir()
    monkeypatch.chdir(tmp_path / "student")
    if ends:
        with pytest.raises(SystemExit, match="there is no mark"):
            script["main"]()
    else:
        script["main"]()
    assert (tmp_path / "student/result.json").exists() == (ends is None)
    words = ran[-1]
    assert Path(parsed(words[words.index("grade") + 1 :])["single"]) == tmp_path / "student"


def test_the_course_is_named_in_one_way():
    """As in pyproject.toml: a fork replaces one word."""
    name = repository.address().removeprefix("https://github.com/")
    for path in (WORKFLOW, FOLDER / "autograder.py"):
        assert path.read_text("utf-8").count(name) == 1
