"""`tunelings completion`: what a shell reads, and what it is answered when a learner presses Tab."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.miniature import Miniature
from tests.support.systems import POSIX
from tunelings.commands.completion import VARIABLE, Shell

CALLS = {
    "bash": "complete -o default -F _tunelings_completion tunelings",
    "zsh": "compdef _tunelings_completion tunelings",
    "fish": "complete --command tunelings",
    "powershell": "Register-ArgumentCompleter -Native -CommandName tunelings",
}


@pytest.mark.parametrize("shell", Shell)
def test_each_shell_has_its_script(tunelings, shell: Shell):
    said = tunelings("completion", shell.value)
    assert (said.code, said.err) == (0, "")
    assert CALLS[shell] in said.out and f"{VARIABLE}" in said.out


def test_another_shell_is_wrong_use(tunelings):
    said = tunelings("completion", "tcsh")
    assert said.code == 2 and said.out == "" and "'bash', 'zsh', 'fish', 'powershell'" in said.err


def asked(tunelings, monkeypatch, line: str) -> list[str]:
    """What typer answers bash for the last word of a command line."""
    monkeypatch.setenv(VARIABLE, "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    said = tunelings()
    assert (said.code, said.err) == (0, "")
    return said.out.split()


def test_commands_options_and_exercises_are_completed(tunelings, monkeypatch):
    assert asked(tunelings, monkeypatch, "tunelings re") == ["reset"]
    assert asked(tunelings, monkeypatch, "tunelings dev b") == ["branch"]
    assert "--json" in asked(tunelings, monkeypatch, "tunelings run --")
    assert asked(tunelings, monkeypatch, "tunelings hint 1.") == ["1.01", "1.02"]
    assert asked(tunelings, monkeypatch, "tunelings run 1.02") == ["1.02"]


@pytest.mark.parametrize("shell", ["zsh", "fish", "powershell"])
def test_the_other_shells_are_answered_too(tunelings, monkeypatch, shell: str):
    monkeypatch.setenv(VARIABLE, f"complete_{shell}")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "tunelings hint 1.0")
    monkeypatch.setenv("_TYPER_COMPLETE_WORD_TO_COMPLETE", "1.0")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    said = tunelings()
    assert (said.code, said.err) == (0, "")
    assert "1.01" in said.out and "squares" in said.out


def test_outside_a_course_no_exercise_is_offered(tunelings, monkeypatch, tmp_path):
    from tunelings.commands import completion
    from tunelings.course import CourseError

    def nowhere():
        raise CourseError("No course here.")

    monkeypatch.setattr(completion, "find_root", nowhere)
    assert completion.exercises("1.") == []


@POSIX
def test_bash_itself_completes_by_the_script(tunelings, mini: Miniature, tmp_path):
    script = tunelings("completion", "bash").out
    program = tmp_path / "tunelings"
    main = "from tunelings.commands.cli import main; main()"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{main}' \"$@\"\n", encoding="utf-8")
    program.chmod(0o755)
    typed = "COMP_WORDS=(tunelings hint 1.0); COMP_CWORD=2; _tunelings_completion tunelings; echo ${COMPREPLY[*]}"
    done = subprocess.run(
        ["bash", "--norc", "-c", f"PATH={tmp_path}:$PATH\n{script}\n{typed}"],
        cwd=mini.root, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("1.01 1.02\n", "")


def test_python_m_tunelings_is_the_command(mini: Miniature):
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "tunelings", "--version"], cwd=root, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0 and done.stdout.startswith("tunelings ")
