"""What differs on Windows and macOS, driven here: no fork and no alarms, other code pages, CRLF, names, open files.

The workflow `tests` runs everything on the real systems; this is what can be known before.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from tests.conftest import ROOT
from tests.support.commandline import mark_done
from tests.support.miniature import SQUARES, Miniature
from tunelings import writing
from tunelings.grading.store import Progress
from tunelings.writing import write_atomically

# Python runs it before anything else. What the standard library itself needs on this system has to stay.
WITHOUT_FORK_AND_ALARMS = """
import os, signal, subprocess, sys

for name in ("SIGALRM", "SIGPROF", "SIGVTALRM", "SIGSTOP", "SIGTSTP", "SIGCONT", "setitimer", "getitimer", "alarm"):
    vars(signal).pop(name, None)
for name in ("fork", "forkpty", "killpg", "setsid", "pidfd_open", "sched_getaffinity"):
    vars(os).pop(name, None)
"""


@pytest.fixture
def another_system(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python as another system has it, with the code page of a Windows console."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WITHOUT_FORK_AND_ALARMS, encoding="utf-8")
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    settings = {"PYTHONPATH": path, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    return {**os.environ, **settings, "LC_ALL": "C", "COLUMNS": "100"}


def check_out_with_crlf(mini: Miniature) -> None:
    """As git does on Windows with `core.autocrlf`."""
    for path in mini.root.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


def test_a_system_without_fork_and_alarms_says_the_same(mini: Miniature, another_system: dict[str, str]):
    mini.solve(mini.squares, "x * x", "x + x")
    mini.solve(mini.shift)
    here = mini.grade()
    check_out_with_crlf(mini)
    command = [sys.executable, "-m", "pytest", *mini._arguments(())]
    there = subprocess.run(command, cwd=mini.root, env=another_system, capture_output=True)
    said = there.stdout.decode("cp1252")
    assert there.returncode == here.code == 1, said + there.stderr.decode("cp1252")
    for line in here.text().splitlines()[1:]:  # Its first line has a mark that the code page has not.
        assert line.strip() in said, line
    assert "3 of 3 checks pass" in said and "1.02 Shift" in said
    status = (mini.root / "STATUS.md").read_text(encoding="utf-8")
    assert "- [ ] 1.01 Squares: in progress" in status and "- [x] 1.02 Shift: done" in status


def test_commands_in_a_c_locale_and_a_crlf_checkout(mini: Miniature, another_system: dict[str, str]):
    check_out_with_crlf(mini)
    environment = {**another_system, "PYTHONIOENCODING": ""}

    def said(*args: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "tunelings", *args], cwd=mini.root, env=environment, capture_output=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode("ascii")

    listed = said("list")
    assert "Squares    o not started" in listed
    assert "What is three times three?" in said("hint", "1.01")
    mini.solve(mini.squares)
    check_out_with_crlf(mini)
    assert "Your file is kept as" in said("reset", "1.01")
    (kept,) = mini.squares.answer_path.parent.glob("ex01_squares.2*.py")
    assert kept.read_bytes() == SQUARES.replace("\n", "\r\n").encode(), "kept to the byte"


def test_a_stub_with_crlf_is_not_started_and_may_be_cut_again(tunelings, mini: Miniature):
    check_out_with_crlf(mini)
    assert Progress(mini.course).state(mini.squares) == "not started"
    assert tunelings("dev", "stubs").code == 0


class Held:
    """`os.replace` while another program has the file open: it is refused `times` times."""

    def __init__(self, times: int):
        self.left, self.real = times, os.replace

    def __call__(self, source, target) -> None:
        self.left -= 1
        if self.left >= 0:
            raise PermissionError(13, "The process cannot access the file because it is being used", str(target))
        self.real(source, target)


@pytest.fixture
def on_windows(monkeypatch):
    def hold(times: int) -> None:
        monkeypatch.setattr(writing, "_PAUSES", (0.0,) * 4)
        monkeypatch.setattr(writing.os, "replace", Held(times))

    with monkeypatch.context() as patched:
        patched.setattr(writing, "os", FakeOs())
        yield hold


class FakeOs:
    """The module as `writing` sees it on Windows."""

    name = "nt"

    def __getattr__(self, name: str):
        return getattr(os, name)


def test_a_file_that_is_open_elsewhere_for_a_moment_is_replaced_all_the_same(on_windows, tmp_path):
    on_windows(3)
    write_atomically(tmp_path / "file", "new\n")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "new\n"


def test_a_file_that_stays_open_elsewhere_is_left_and_no_verdict_is_lost(on_windows, mini: Miniature, tmp_path, capsys):
    (tmp_path / "file").write_text("old\n", encoding="utf-8")
    on_windows(100)
    with pytest.raises(PermissionError):
        write_atomically(tmp_path / "file", "new\n")
    assert [path.read_text("utf-8") for path in tmp_path.glob("*file*")] == ["old\n"], "nothing is left beside it"
    mark_done(mini)
    assert "could not be saved" in capsys.readouterr().err


def tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("no clone")
    return done.stdout.splitlines()


def test_every_name_exists_on_every_system():
    """No two that differ in case alone; none that Windows reserves or cannot hold; none too long for its paths."""
    names = tracked()
    folded: dict[str, str] = {}
    reserved = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
    for name in names:
        assert folded.setdefault(name.casefold(), name) == name
        assert len(name) <= 150, "with the folder of a clone before it, Windows allows 260"
        for part in PurePosixPath(name).parts:
            assert part.partition(".")[0].lower() not in reserved, name
            assert not set(part) & set('<>:"\\|?*') and part[-1] not in ". ", name


def test_a_clone_has_the_same_bytes_on_every_system():
    """The ticks and the stored results hang on them; an editor may still save CRLF, which is read all the same."""
    assert "* text=auto eol=lf" in (ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines()
    done = subprocess.run(["git", "ls-files", "--eol"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("no clone")
    crlf = [line.split("\t")[1] for line in done.stdout.splitlines() if line.startswith(("i/crlf", "i/mixed"))]
    assert crlf == ["data/sentiment/LICENSE.vaderSentiment.txt"], "another's licence, to the byte"


@pytest.mark.parametrize("name", ["exercises\\module01\\ex01_squares.py", "EXERCISES/Module01/EX01_Squares.PY"])
def test_a_path_as_windows_writes_it_names_the_exercise(mini: Miniature, name: str):
    assert mini.course.find(name) == mini.squares


# What Windows lacks, or wants a privilege for, as a test would write it; and what a guard against that is called.
POSIX_ONLY = re.compile(
    r"SIG(KILL|ALRM|PROF|STOP|TSTP|CONT|HUP)|setitimer|os\.(fork|mkfifo|getuid|geteuid|chown|openpty|setsid|killpg)|"
    r"\b(termios|fcntl|pexpect\.spawn|preexec_fn|stty|symlink_to|st_mode|OutOfTime)\b|send_signal|kill\(os\.getpid|"
    r"#![/{]|/bin/sh|/dev/|/proc/|\[['\"](bash|sh)['\"]"
)
GUARDS = re.compile(r"POSIX|FORK|ON_LINUX|can_fork|needs_bwrap|bwrap_trouble|geteuid")


def unguarded(source: str) -> list[str]:
    """The tests of a file that need what Windows lacks, themselves or by a name of the same file, without a guard."""
    tree = ast.parse(source)
    text, uses = {}, {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names, guards = [node.name], node.decorator_list
        elif isinstance(node, ast.Assign):
            names, guards = (
                [one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)],
                [],
            )
        else:
            continue
        if "pytestmark" in names and GUARDS.search(ast.unparse(node)):
            return []
        if not any(GUARDS.search(ast.unparse(one)) for one in guards):
            used = {one.id if isinstance(one, ast.Name) else one.arg for one in ast.walk(node)
                    if isinstance(one, ast.Name | ast.arg)}  # fmt: skip
            text |= dict.fromkeys(names, ast.unparse(node))
            uses |= dict.fromkeys(names, used)
    needs = {name for name in text if POSIX_ONLY.search(text[name])}
    while more := {name for name in uses if name not in needs and uses[name] & needs}:
        needs |= more
    return sorted(name for name in needs if name.startswith("test_"))


def test_what_windows_lacks_is_used_behind_a_guard():
    files = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py")}
    del files[Path(__file__).name]  # It holds these words as text.
    found = {name: unguarded(text) for name, text in files.items()}
    assert {name: tests for name, tests in found.items() if tests} == {}, (
        "they want @POSIX, of tests/support/systems.py"
    )


def test_a_test_without_the_guard_is_found():
    source = (ROOT / "tests" / "test_init.py").read_text(encoding="utf-8")
    assert unguarded(source) == [] and len(unguarded(source.replace("@POSIX\n", ""))) == source.count("@POSIX\n")
    assert unguarded("SCRIPT = '#!/bin/sh'\n\ndef test_it(tmp_path):\n    write(SCRIPT)\n") == ["test_it"]
