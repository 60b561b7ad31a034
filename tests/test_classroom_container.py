"""The level `container`: its maker runs the grader as root, as Gradescope does, and answers run as the user `student`.

Here bwrap, started by root, makes the container; inside, it can't be found.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.classroom import DOUBLED, write
from tests.support.miniature import build
from tests.test_classroom_isolation import after, fails
from tunelings.classroom import sandbox

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user"),
    pytest.mark.skipif(bool(sandbox.bwrap_trouble()), reason=f"no bwrap here: {sandbox.bwrap_trouble()}"),
]
STUDENT = "student:x:12345:12345::/nowhere:/bin/sh\n"
HIDDEN = fails(
    "open('/tmp/results/key.csv')", "os.listdir('/tmp/results')", "open('/tmp/secret')",
    "open('/tmp/course/solutions/module01/ex01_squares.py', 'a')",
)  # fmt: skip
WHO = after(
    "assert (os.getuid(), os.geteuid(), os.getgid(), os.getgroups()) == (12345, 12345, 12345, [])",
    "assert 'TUNELINGS_TEST_SECRET' not in os.environ",
)


def grade(folder: Path, users: str) -> subprocess.CompletedProcess[str]:
    """Grade the class in the container; its course, submissions and results are folders of `folder`."""
    for name, content in (("passwd", "root:x:0:0::/root:/bin/sh\n" + users), ("group", "root:x:0:\nstudent:x:12345:\n"),
                          ("mark", ""), ("secret", "of the teacher's")):  # fmt: skip
        (folder / name).write_text(content, encoding="ascii")
    (folder / "secret").chmod(0o600)
    words = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    words += ["--perms", "0755", "--tmpfs", str(Path.home()), "--perms", "1777", "--tmpfs", "/tmp"]
    for shown in {Path(sys.base_prefix), Path(sys.prefix), ROOT}:  # Of both, the student sees these alone.
        for hidden in (folder for folder in (Path.home(), Path("/tmp")) if shown.is_relative_to(folder)):
            for parent in reversed(shown.parents[: len(shown.relative_to(hidden).parts) - 1]):
                words += ["--perms", "0755", "--dir", str(parent)]
            words += ["--ro-bind", str(shown), str(shown)]
    for name, place in (("passwd", "/etc/passwd"), ("group", "/etc/group"), ("secret", "/tmp/secret"),
                        ("course", "/tmp/course"), ("class", "/tmp/class")):  # fmt: skip
        words += ["--ro-bind", str(folder / name), place]
    words += ["--tmpfs", "/run", "--ro-bind", str(folder / "mark"), "/run/.containerenv"]
    words += [
        "--bind",
        str(folder / "results"),
        "/tmp/results",
        "--chdir",
        "/tmp/course",
        "--setenv",
        "PATH",
        "/nowhere",
    ]
    words += ["--setenv", "PYTHONPATH", str(ROOT), "--setenv", "TUNELINGS_TEST_SECRET", "token"]
    words += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_KILL"]
    command = [sys.executable, "-m", "tunelings", "grade", "/tmp/class", "-o", "/tmp/results", "--only", "1.01"]
    return subprocess.run([*words, *command], capture_output=True, text=True, timeout=800, stdin=subprocess.DEVNULL)


@pytest.fixture
def class_(tmp_path: Path) -> Path:
    build(tmp_path / "course")
    for name, answer in (("hidden", HIDDEN), ("who", WHO), ("doubled", DOUBLED)):
        write(tmp_path / "class", name, answer)
    (tmp_path / "results").mkdir(mode=0o700)
    return tmp_path


def test_answers_run_as_another_user(class_: Path):
    done = grade(class_, STUDENT)
    assert done.returncode == 0, done.stdout + done.stderr
    names = {row["student"]: row["name"] for row in csv.DictReader((class_ / "results/key.csv").open(encoding="utf-8"))}
    rows = list(csv.DictReader((class_ / "results/results.csv").open(encoding="utf-8")))
    assert {names[row["student"]]: row["outcome"] for row in rows} == {
        "hidden": "passed", "who": "passed", "doubled": "failed",
    }  # fmt: skip
    assert json.loads((class_ / "results/manifest.json").read_text("utf-8"))["isolation"] == "container"


def test_without_that_user_nothing_is_graded(class_: Path):
    done = grade(class_, "")
    assert (
        done.returncode == 4 and "Answers can't be isolated here: bwrap is not installed" in done.stderr + done.stdout
    )
    assert not (class_ / "results/results.csv").exists()
