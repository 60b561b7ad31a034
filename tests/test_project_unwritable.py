"""A project in a folder that can't be written: one line, exit code 2, and nothing lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.projects import parts, project, rows, run, tunelings
from tests.support.systems import POSIX
from tunelings.classroom import sandbox
from tunelings.project import child, disk
from tunelings.project import folder as files
from tunelings.project.errors import ProjectError
from tunelings.project.folder import Folder

needs_bwrap = pytest.mark.skipif(bool(sandbox.bwrap_trouble()), reason=f"no bwrap here: {sandbox.bwrap_trouble()}")

SAYS = (
    "can't be written (Read-only file system): make it writable, or choose another place. Steps that are done stay "
    "done.\n"
)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Folder:
    """A project whose data step is done."""
    path = tmp_path_factory.mktemp("projects") / "colors"
    path.mkdir()
    folder = project(path, rows(60))
    run(folder, "data")
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def read_only(path: Path) -> tuple[str, ...]:
    """The permissions of a folder don't bind root; a mount does."""
    return ("bwrap", "--dev-bind", "/", "/", "--ro-bind", str(path), str(path))


@needs_bwrap
@pytest.mark.parametrize("words", [["run"], ["run", "data", "--again"], ["report"]], ids=" ".join)
def test_a_folder_that_cannot_be_written_is_one_line_and_nothing_is_lost(prepared, words):
    before = content(prepared.path)
    command, *rest = words
    done = tunelings("project", command, str(prepared.path), *rest, inside=read_only(prepared.path))
    assert (done.returncode, done.stderr) == (2, f"{prepared.path} {SAYS}")
    assert content(prepared.path) == before


@needs_bwrap
def test_a_new_project_where_nothing_can_be_written_is_one_line(tmp_path):
    done = tunelings("project", "new", str(tmp_path / "p"), "--example", "films", inside=read_only(tmp_path))
    assert (done.returncode, done.stderr) == (2, f"{tmp_path / 'p'} {SAYS}")


@needs_bwrap
def test_a_new_project_on_a_full_disk_is_one_line(tmp_path):
    files.write_lines(tmp_path / "d.jsonl", rows(20))
    (tmp_path / "small").mkdir()
    small = ("bwrap", "--dev-bind", "/", "/", "--size", "400000", "--tmpfs", str(tmp_path / "small"))
    place = tmp_path / "small" / "p"
    words = ("project", "new", str(place), "--data", str(tmp_path / "d.jsonl"), "--model", "tiny")
    done = tunelings(*words, inside=small)
    says = f"The disk is full at {place}: make room and run it again; steps that are done stay done.\n"
    assert (done.returncode, done.stderr) == (2, says)


@POSIX
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_log_on_a_full_disk_keeps_no_step_from_saying_why_it_ends(tmp_path):
    command = [sys.executable, "-m", "tunelings.project.child", str(tmp_path), "data"]
    (tmp_path / "project.toml").write_text("model = 3", encoding="utf-8")
    with open("/dev/full", "wb") as full:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=full, cwd=ROOT) as step:
            said = json.loads(step.stdout.readlines()[-1])
    assert (step.returncode, said["said"], said["code"]) == (2, "ended", 2) and "project.toml: model (3)" in said[
        "text"
    ]


@pytest.mark.parametrize(
    ("error", "is_full"),
    [(OSError(errno.EDQUOT, "x"), True), (shutil.Error([("a", "b", "[Errno 28] No space left on device")]), True),
     (RuntimeError("I/O error: No space left on device (os error 28)"), True), (OSError(errno.EIO, "x"), False)],
    ids=["quota", "shutil", "safetensors", "another"],
)  # fmt: skip
def test_a_full_disk_is_known_by_whatever_says_so(tmp_path, error, is_full):
    with pytest.raises(ProjectError if is_full else OSError), disk.told_if_full(tmp_path):
        raise error


def test_a_step_whose_folder_is_not_ours_to_write_is_bad_input_and_an_answers_file_is_not(tmp_path):
    folder = Folder(tmp_path)
    ours = PermissionError(errno.EACCES, "Permission denied", str(folder.work("train")))
    assert child.ended(ours, parts(), folder, "train")[0] == 2
    another = PermissionError(errno.EACCES, "Permission denied", "/elsewhere")
    assert child.ended(another, parts(), folder, "train")[0] == 1
