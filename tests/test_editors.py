"""What editors read: the line `path:line: error: …`, the tasks of VS Code, the development container."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.commandline import mark_done
from tests.support.desk import Desk, verdict
from tests.support.miniature import Miniature
from tunelings.desk import screen
from tunelings.watch import events
from tunelings.watch.loop import Watcher

CODE = ROOT / ".vscode"
CONTAINER = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
TASKS = {task["label"]: task for task in json.loads((CODE / "tasks.json").read_text(encoding="utf-8"))["tasks"]}
MATCHER = TASKS["watch"]["problemMatcher"]
SETTINGS = json.loads((CODE / "settings.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def the_console_comes_back(monkeypatch):
    """`--plain` replaces it for good."""
    monkeypatch.setattr(screen, "console", screen.console)


def problems(output: str) -> list[dict[str, str]]:
    """What VS Code's Problems panel takes from the output of the task: its own pattern, by its own groups."""
    pattern = MATCHER["pattern"]
    found = [re.search(pattern["regexp"], line) for line in output.splitlines()]
    return [{key: one[pattern[key]] for key in ("file", "line", "severity", "message")} for one in found if one]


def test_the_failing_line_and_its_text_reach_the_panel(tunelings, mini: Miniature):
    path = mini.solve(mini.squares, "x * x", "undefined * x")
    (problem,) = problems(tunelings("run", "1.01", "--plain").out)
    here = Path(problem["file"])
    assert problem["severity"] == "error" and (mini.root / here) == path and not here.is_absolute()
    assert "undefined * x" in path.read_text(encoding="utf-8").splitlines()[int(problem["line"]) - 1]
    assert problem["message"].startswith("1.01 Squares · each number is squared: your code stops here")
    assert "NameError" in problem["message"]


def test_the_named_mistake_and_the_two_values_reach_the_panel(tunelings, mini: Miniature):
    mini.solve(mini.squares, "x * x", "x + x")
    said = tunelings("run", "1.01", "--plain")
    (problem,) = problems(said.out)
    assert "This is what comes out when each number is added to itself" in problem["message"]
    assert "expected [ 9.000," in problem["message"] and "got [ 6.000," in problem["message"]
    plain = [line for line in said.out.splitlines() if not re.search(MATCHER["pattern"]["regexp"], line)]
    assert plain == tunelings("run", "1.01").out.splitlines(), "beside that line, it is the verdict as ever"


def test_a_file_that_does_not_load_is_a_problem_at_its_line(tunelings, mini: Miniature):
    mini.answer(mini.squares, "import torch\n\ndef squares(x):\n    return x *\n")
    (problem,) = problems(tunelings("run", "1.01", "--plain").out)
    assert (problem["line"], problem["severity"]) == ("4", "error")


def test_a_todo_that_is_left_is_a_warning_and_a_stub_or_a_pass_no_problem(tunelings, mini: Miniature):
    begun = mini.squares.answer_path.read_text(encoding="utf-8").replace(
        '    # TODO: multiply x by itself.\n    raise NotImplementedError("TODO")', "    return x * x"
    )
    assert problems(tunelings("run", "1.01", "--plain").out) == []
    mini.answer(mini.squares, begun)
    (problem,) = problems(tunelings("run", "1.01", "--plain").out)
    assert problem["severity"] == "warning" and "this TODO is left: `mean_square`" in problem["message"]
    mark_done(mini)
    assert problems(tunelings("run", "1.01", "--plain").out) == []


def test_the_panel_changes_between_two_lines_of_the_loop(desk: Desk, mini: Miniature):
    plain = Watcher(mini.course, mini.squares, pool=desk.pool, plain=True)
    with screen.console.capture() as shown:
        plain.session.check([mini.squares])
        plain.session.on_worker(events.Verdicts((verdict("1.01"),)))
        plain.session.check([mini.squares])
        plain.session.on_worker(events.Error("E   a check file that does not load"))
    lines = shown.get().splitlines()
    for pattern in ("beginsPattern", "endsPattern"):
        assert sum(bool(re.search(MATCHER["background"][pattern], line)) for line in lines) == 2, pattern
    assert lines[0] == "checking 1.01 Squares" and lines[-1] == "checked 1.01 Squares"


def test_the_task_in_its_terminal_draws_nothing_and_follows_saves(mini: Miniature, terminal):
    command, *module = TASKS["watch"]["args"][:2]
    assert (command, module) == ("-m", ["tunelings"]) and (ROOT / "tunelings" / "__main__.py").is_file()
    shown = terminal(*TASKS["watch"]["args"][2:], columns=60).warm_up()
    shown.until("checked 1.01")
    mini.solve(mini.squares, "x * x", "x + x")
    shown.until(lambda text: shown.raw.count(b"\nchecked 1.01") == 2)
    assert b"\x1b" not in shown.raw
    (problem,) = problems(shown.raw.decode())
    assert "added to itself" in problem["message"]


def test_the_test_explorer_finds_the_checks():
    assert SETTINGS["python.testing.pytestEnabled"] and SETTINGS["python.testing.pytestArgs"] == ["checks"]
    inside = CONTAINER["customizations"]["vscode"]
    assert inside["settings"]["python.testing.pytestEnabled"]
    recommended = json.loads((CODE / "extensions.json").read_text(encoding="utf-8"))["recommendations"]
    assert inside["extensions"] == recommended and "ms-python.python" in recommended


def test_the_container_installs_what_the_course_needs_and_forwards_the_site():
    command = CONTAINER["updateContentCommand"]
    (group,) = re.findall(r"--group (\S+)", command)
    (constraints,) = re.findall(r"-c (\S+)", command)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert group in project["dependency-groups"] and (ROOT / constraints).is_file()
    assert CONTAINER["forwardPorts"] == [8000] and "8000" in CONTAINER["portsAttributes"]
    assert all((ROOT / path).is_file() for path in CONTAINER["customizations"]["codespaces"]["openFiles"])


def test_the_quick_start_says_what_a_codespace_asks_for():
    needs = CONTAINER["hostRequirements"]
    text = " ".join((ROOT / "docs" / "quick-start.md").read_text(encoding="utf-8").split())
    memory, storage = (needs[what].removesuffix("gb") for what in ("memory", "storage"))
    assert f"It asks for {needs['cpus']} cores, {memory} GB of memory and {storage} GB of disk" in text
