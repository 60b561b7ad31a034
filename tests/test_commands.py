"""`tunelings …`: what each command prints, keeps and returns.

Long: 36 tests, by command.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.support.commandline import mark_done
from tests.support.miniature import ROOT, SQUARES
from tests.support.systems import POSIX
from tunelings.commands import cli
from tunelings.grading import environment
from tunelings.grading.store import Progress


def test_help_lists_the_commands(tunelings):
    said = tunelings("--help")
    assert said.code == 0
    for command in ("list", "run", "hint", "reset", "solution", "open", "watch"):
        assert re.search(rf"^\W*{command}\b", said.out, re.MULTILINE), command
    assert tunelings("-h") == said


def test_an_unknown_command_is_wrong_use(tunelings):
    said = tunelings("no-such-command")
    assert said.code == 2 and "no-such-command" in said.err


def test_list_shows_every_exercise_with_its_state(tunelings, mini):
    mark_done(mini)
    said = tunelings("list")
    assert said.code == 0
    assert [line.split() for line in said.out.splitlines()[:3]] == [
        "Module 1 · Training fundamentals (1 of 2)".split(),
        "1.01 Squares ✓ done difficulty 1, 5 min".split(),
        "1.02 Shift ○ not started difficulty 1, 5 min".split(),
    ]
    assert "Module 2 · Fine-tuning basics (no exercises yet)" in said.out
    assert "\x1b" not in said.out


def test_list_takes_a_stale_tick_out_of_the_status_file(tunelings, mini):
    mark_done(mini)
    mini.solve(mini.squares, "x * x", "x + x")
    assert "in progress" in tunelings("list").out
    assert "[ ] 1.01 Squares: in progress" in (mini.root / "STATUS.md").read_text()


@pytest.mark.parametrize("name", ["1.01", "1.1", "squares", "ex01_squares", "exercises/module01/ex01_squares.py"])
def test_run_checks_an_exercise_by_any_of_its_names(tunelings, mini, name):
    mini.solve(mini.squares)
    said = tunelings("run", name)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[:2] == [
        "✓ 1.01 Squares: all 4 checks pass",
        "    A number times itself is never negative.",
    ]
    assert "Next: 1.02 Shift" in said.out


def test_run_returns_1_and_shows_the_first_failure(tunelings, mini):
    mini.solve(mini.squares, "x * x", "x + x")
    said = tunelings("run", "module01")
    assert said.code == 1
    assert "This is what comes out when each number is added to itself" in said.out
    assert "○ 1.02 Shift" in said.out
    assert Progress(mini.course).state(mini.squares) == "in progress"


@pytest.mark.parametrize(
    ("args", "first", "walked"),
    [
        (["watch"], "1.02", "all"),
        (["watch", "module01"], "1.02", "module01"),
        (["watch", "1.01"], "1.01", "all"),
        (["watch", "1.02", "--poll"], "1.02", "all"),
        (["watch", "1.02", "--plain"], "1.02", "all"),
    ],
)
def test_watch_begins_at_the_first_that_is_not_done(tunelings, mini, monkeypatch, args, first, walked):
    mark_done(mini)
    mini.solve(mini.shift, "x + by", "x - by")
    followed = []
    monkeypatch.setattr("tunelings.commands.checks.follow", lambda *given, **how: followed.append((*given[1:], how)))
    assert tunelings(*args).code == 0
    assert [(exercise.number, selection, how) for exercise, selection, how in followed] == [
        (first, walked, {"poll": "--poll" in args, "plain": "--plain" in args})
    ]


def test_json_has_every_verdict_and_the_exit_code_says_whether_all_pass(tunelings, mini):
    mini.solve(mini.squares)
    said = tunelings("run", "all", "--json")
    assert (said.code, [one["state"] for one in json.loads(said.out)["verdicts"]]) == (1, ["passed", "not started"])
    assert tunelings("run", "1.01", "--json").code == 0


def test_without_a_command_and_a_terminal_the_next_exercise_is_checked_once(tunelings, mini):
    mark_done(mini)
    said = tunelings()
    assert said.code == 1
    assert said.out.startswith("○ 1.02 Shift") and "1.01" not in said.out


@pytest.mark.parametrize(
    "args, message",
    [
        (["run", "1.09"], "There is no exercise '1.09': did you mean 1.02?"),
        (["run", "sqares"], "There is no exercise 'sqares': did you mean 1.01?"),
        (["hint", "zzzz"], "There is no exercise 'zzzz': tunelings list shows them all."),
        (["run", "module09"], "There is no module 'module09': the modules are module01, module02, "),
        (["run", "2"], "module02 (Fine-tuning basics) has no exercises yet."),
        (["hint", "1.01", "--level", "4"], "1.01 has hints 1 to 3, and no hint 4."),
        (["hint", "1.01", "--level", "0"], "1.01 has hints 1 to 3, and no hint 0."),
        (["reset", "1.01", "--restore"], "1.01 has no kept file: tunelings reset makes one."),
        (
            ["dev", "new", "7.01", "name"],
            "'7.01' isn't an exercise number: use one such as 1.11, in modules 1 to 5.",
        ),
        (["dev", "new", "1.3", "name"], "'1.3' isn't an exercise number: use one such as 1.11, in modules 1 to 5."),
        (["dev", "new", "1.00", "name"], "'1.00' isn't an exercise number: use one such as 1.11, in modules 1 to"),
        (["dev", "new", "1.03", "Name"], "'Name' isn't a name in snake case, such as label_smoothing."),
        (["dev", "new", "1.03", "lambda"], "'lambda' isn't a name in snake case, such as label_smoothing."),
        (
            ["dev", "new", "1.02", "name"],
            "1.02 exists already (solutions/module01/ex02_shift.py); nothing was written.",
        ),
        (["dev", "new", "1.03", "shift"], "shift is the name of 1.02 already; nothing was written."),
        (["dev", "new", "1.03", "name", "--title", 'a "b"'], "'a \"b\"' isn't a title: use one line without quot"),
        (["dev", "new", "1.03", "name", "--title", "a\nb"], "'a\\nb' isn't a title: use one line without quot"),
        (["dev", "new", "1.03", "name", "--title", " "], "' ' isn't a title: use one line without quot"),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_exit_code_2(tunelings, args, message):
    said = tunelings(*args)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(message) and said.err.count("\n") == 1


def test_a_name_that_two_exercises_share_asks_for_the_number(tunelings, mini):
    for tree, name in [("solutions", "ex03_shift.py"), ("exercises", "ex03_shift.py")]:
        (mini.root / tree / "module01" / name).write_text("x = 1\n")
    assert tunelings("run", "shift").err == "'shift' could be any of 1.02, 1.03: use the number.\n"


def test_a_check_that_cannot_be_imported_is_the_courses_fault(tunelings, mini):
    mini.squares.check_path.write_text("import no_such_package\n")
    said = tunelings("run", "1.01")
    assert said.code == 2
    assert said.err == "The checks can't be run: ModuleNotFoundError: No module named 'no_such_package'\n"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_check_that_cannot_be_imported_takes_no_other_verdict(tunelings, mini, form):
    mini.squares.check_path.write_text("import no_such_package\n")
    mini.solve(mini.shift)
    said = tunelings("run", "module01", *form)
    assert said.code == 1
    assert "1.02" in said.out and "1.01" not in said.out
    assert said.err == "The checks can't be run: ModuleNotFoundError: No module named 'no_such_package'\n"


def test_a_syntax_error_in_a_check_is_one_line(tunelings, mini):
    mini.squares.check_path.write_text("def f(:\n")
    said = tunelings("run", "1.01")
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert "test_ex01_squares.py" in said.err and said.err.endswith("SyntaxError: invalid syntax\n")
    assert tunelings("list").code == 0


def test_a_solution_that_is_half_written_is_no_obstacle_to_the_list(tunelings, mini):
    mini.squares.solution_path.write_text("# BEGIN SOLUTION\n")
    said = tunelings("list")
    assert said.code == 0 and "1.01" in said.out and "1.02" in said.out


def test_the_version_is_said(tunelings):
    assert tunelings("--version") == (0, f"tunelings {metadata.version('tunelings')}\n", "")


@pytest.mark.parametrize("port", ["80000", "0", "-1"])
def test_a_port_that_there_is_not_is_wrong_use(tunelings, port):
    said = tunelings("site", "--port", port)
    assert said.code == 2 and said.out == "" and "Traceback" not in said.err
    assert "Invalid value for '--port'" in said.err and re.search(r"\b(1|65535)\b", said.err)


def test_a_site_without_its_configuration_is_one_line(tunelings):
    said = tunelings("site", "--port", "8001")
    assert said.code == 2 and said.err.count("\n") == 1 and "mkdocs.yml" in said.err


@pytest.mark.parametrize("kind", ["folder", pytest.param("pipe", marks=POSIX)])
def test_what_stands_in_place_of_a_solution_is_one_line(tunelings, mini, kind: str):
    solution = mini.squares.solution_path
    solution.unlink()
    solution.mkdir() if kind == "folder" else os.mkfifo(solution)
    said = tunelings("solution", "1.01", "--yes")
    assert (said.code, said.out, said.err) == (2, "", f"{solution}: not a regular file\n")


# A Python in which a package is not installed: neither its metadata nor its module can be found.
WITHOUT = """
import importlib.abc, sys
from importlib import metadata
absent, distribution = sys.argv.pop(1).split(","), metadata.distribution
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
def distribution_of(name):
    if name in absent:
        raise metadata.PackageNotFoundError(name)
    return distribution(name)
sys.meta_path.insert(0, Absent())
metadata.distribution = distribution_of
from tunelings.commands.cli import main
main()
"""


def without(mini, absent: str, *args: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", WITHOUT, absent, *args]
    return subprocess.run(command, cwd=mini.root, capture_output=True, text=True)


@pytest.mark.parametrize("absent", ["typer", "rich", "filelock", "platformdirs", "packaging", "typer,rich"])
def test_help_and_doctor_say_which_package_is_missing(mini, absent):
    for args in (["--help"], ["doctor"]):
        done = without(mini, absent, *args)
        assert "Traceback" not in done.stderr
        if done.returncode == 2:
            missing = ", ".join(sorted(absent.split(",")))
            line = f"Not installed: {missing}. To install what the course needs, run `uv sync`"
            assert done.stdout == "" and done.stderr.startswith(line) and done.stderr.count("\n") == 1
        else:
            code, said = (0, "doctor") if args == ["--help"] else (1, f"{absent} is not installed")
            assert (done.returncode, done.stderr) == (code, "") and said in done.stdout


@pytest.mark.parametrize("absent", ["torch", "watchfiles", "psutil"])
def test_doctor_reports_a_package_that_it_does_not_need_itself(mini, absent):
    done = without(mini, absent, "doctor")
    assert done.returncode == 1 and f"{absent} is not installed" in done.stdout and "run `uv sync`" in done.stdout
    assert done.stderr == ""


def test_a_damaged_package_is_named_too(tunelings, monkeypatch):
    def damaged(*_):
        raise ImportError("cannot import name 'Console' from 'rich.console'", name="rich.console")

    monkeypatch.setattr("tunelings.commands.app.run", damaged)
    version = environment._version  # What only another extra of pyproject.toml names isn't missing.
    monkeypatch.setattr(environment, "_version", lambda name: None if name == "distributed" else version(name))
    said = tunelings("list")
    assert said.code == 2 and said.err.startswith("A package is damaged (cannot import name 'Console' from ")


def test_an_import_of_the_package_itself_that_fails_is_a_fault_of_the_package(monkeypatch):
    def damaged(*_):
        raise ModuleNotFoundError("No module named 'tunelings.gone'", name="tunelings.gone")

    monkeypatch.setattr("tunelings.commands.app.run", damaged)
    with pytest.raises(ModuleNotFoundError):
        cli.main()


def test_ctrl_c_is_130_also_before_a_command_runs(tunelings, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("tunelings.commands.arguments.find_root", interrupted)
    assert tunelings("list").code == 130
    monkeypatch.setattr("tunelings.commands.app.run", interrupted)
    assert tunelings("list").code == 130


def test_a_wrong_version_is_one_line(tunelings, monkeypatch):
    version = environment._version
    monkeypatch.setattr(environment, "_version", lambda name: "1.0" if name == "torch" else version(name))
    uncached(monkeypatch)
    said = tunelings("run", "1.01")
    assert (said.code, said.out) == (2, "")
    assert re.fullmatch(r"The course needs torch>=\S+, and 1\.0 is installed: run `uv sync` .*\n", said.err)


def test_a_package_that_is_missing_is_one_line(monkeypatch):
    monkeypatch.setattr(environment, "_version", lambda name: None)
    uncached(monkeypatch)
    assert re.fullmatch(r"\d+ packages \(.+, …\) are not installed: run `uv sync` .*", environment.problem())


def test_the_version_of_each_installed_package_is_read_as_importlib_does():
    assert {name: environment._version(name) for name in ("tunelings", "rich", "torch")} == {
        name: metadata.version(name) for name in ("tunelings", "rich", "torch")
    }
    assert environment._version("no-such-package") is None


def test_a_version_that_only_an_egg_states_is_read(tmp_path, monkeypatch):
    (tmp_path / "old.egg-info").mkdir()
    (tmp_path / "old.egg-info/PKG-INFO").write_text("Metadata-Version: 1.0\nName: old\nVersion: 0.3\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert environment._version("old") == "0.3"


def uncached(monkeypatch) -> None:
    """Have the metadata read anew; afterwards what is installed is known again."""
    for name in ("installed", "problem"):
        monkeypatch.setattr(environment, name, getattr(environment, name).__wrapped__)


def test_nothing_in_an_answer_acts_on_the_screen_that_shows_it(tunelings, mini):
    mini.answer(mini.squares, SQUARES + "# \x1b]0;owned\x07 \x1b[2J \u202e\tafter a tab\n")
    said = tunelings("solution", "1.01", "--yes")
    assert "-# \\x1b]0;owned\\x07 \\x1b[2J \\u202e" in said.out and "after a tab" in said.out
    assert not set("\x1b\x07\t\u202e") & set(said.out)


# The maintainer's commands.


def test_a_malformed_solution_is_one_line(tunelings, mini):
    mini.squares.solution_path.write_text("# BEGIN SOLUTION\n")
    said = tunelings("dev", "stubs", "1.01")
    assert said.code == 2
    assert said.err == "solutions/module01/ex01_squares.py: the last BEGIN SOLUTION has no END SOLUTION\n"


def test_mutants_are_counted(tunelings, mini):
    said = tunelings("dev", "mutate", "1.01")
    assert (said.code, said.out) == (0, "module01: 3 mutants, 0 survive (0.0%)\n")


def test_a_survivor_is_printed_with_its_line(tunelings, mini):
    check = mini.squares.check_path
    check.write_text(check.read_text().split("def test_the_mean")[0])
    survivor = "return squares(x).mean().item() -> pass"
    said = tunelings("dev", "mutate", "1.01")
    assert (said.code, said.out.splitlines()[0]) == (1, f"1.01  line 17  survives: {survivor}")
    (mini.root / "tests").mkdir()
    (mini.root / "tests" / "survivors.toml").write_text(f'["1.01"]\n"{survivor}" = "nobody asks for it"\n')
    said = tunelings("dev", "mutate", "1.01")
    assert (said.code, said.out.splitlines()[0]) == (0, f"1.01  line 17  survives (listed): {survivor}")


# Processes of their own.


def test_a_folder_without_a_course_falls_back_to_the_installed_one(tmp_path):
    code = "import os; from tunelings.course import find_root; print(find_root())"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert Path(done.stdout.strip()) == ROOT


def test_a_folder_without_any_course_is_one_line(tunelings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tunelings.course.__file__", str(tmp_path / "site-packages" / "tunelings" / "course.py"))
    said = tunelings("list")
    assert said.code == 2
    assert said.err == f"No course at {tmp_path}: run `tunelings init` to make one, or change to its folder.\n"


LIGHT = [["--help"], ["list"], ["hint", "1.01"], ["reset", "1.01"], ["doctor"], ["init", "new", "--files-only"]]


@pytest.mark.parametrize("args", LIGHT, ids=" ".join)
def test_what_needs_none_of_the_heavy_libraries_imports_none(mini, args):
    """Each module that the command has loaded belongs to Python, to the course or to its few light dependencies."""
    heavy = {module for name in heavy_packages() for module in modules_of(name)}
    heavy -= {"psutil", "pydantic"}  # `doctor` counts processes; typer itself loads pydantic.
    assert {"torch", "numpy", "transformers", "pytest", "watchfiles", "mkdocs"} <= heavy
    code = (
        "import sys; from tunelings.commands.cli import main\ntry: main()\nexcept SystemExit as e: assert not e.code\n"
        f"assert not {heavy!r} & set(sys.modules), sorted({heavy!r} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, *args], cwd=mini.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def heavy_packages() -> list[str]:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    return [Requirement(line).name for line in extras["course"]]


def modules_of(package: str) -> set[str]:
    """The top-level modules that a package installs."""
    files = metadata.files(package) or []
    return {path.parts[0].removesuffix(".py") for path in files if path.suffix == ".py" and path.parts[0] != ".."}


def test_the_installed_command_is_this_one(mini):
    done = mini.command("hint", "1.02")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1.02 Shift · hint 1 of 2\nWhich operator adds?\n", "")
    (command,) = metadata.entry_points(group="console_scripts", name="tunelings")
    assert command.value == "tunelings.commands.cli:main"
