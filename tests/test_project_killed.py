"""kill -9 in the middle of `tunelings project run`: nothing is lost, and the result is that of a run left alone.

    pytest tests/test_project_killed.py -m sweep

The moments are changes on disk, counted by tests/support/sudden_end, so that a slow machine draws the same ones.
"""

from __future__ import annotations

import random
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import ROOT
from tests.support.projects import rows, tunelings
from tests.support.systems import POSIX
from tunelings.project import folder as files
from tunelings.project.steps import STEPS

HOOK = ROOT / "tests" / "support" / "sudden_end"
KILLS, SEED = 20, 14


def command(*words: str, end: str = ":0", log: str = "") -> subprocess.CompletedProcess[str]:
    return tunelings("project", *words, before=str(HOOK), SUDDEN_END=end, SUDDEN_LOG=log)


def new_project(place: Path, data: Path) -> files.Folder:
    place.parent.mkdir()
    done = command("new", str(place), "--data", str(data), "--model", "tiny", "--steps", "24")
    assert done.returncode == 0, done.stderr
    return files.Folder(place)


def moments(log: Path) -> list[str]:
    """Twenty moments, each a step and one of its changes on disk, in the order in which a run comes to them."""
    changes = Counter(line.split()[0] for line in log.read_text(encoding="utf-8").splitlines())
    every = [(step, number + 1) for step in (*STEPS, "report") for number in range(changes[step])]
    drawn = sorted(random.Random(SEED).sample(range(len(every)), KILLS))
    return [f"{every[place][0]}:{every[place][1]}" for place in drawn]


def weights_are_equal(one: Path, other: Path) -> bool:
    first, second = load_file(one), load_file(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def left(folder: files.Folder) -> dict:
    """All that a project says, without clocks."""
    clocks = ("seconds", "wall_seconds")

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items() if key not in clocks}
        return [plain(item) for item in value] if isinstance(value, list) else value

    found: dict = {step: plain({**folder.result(step), "key": ""}) for step in STEPS}
    for path in folder.path.glob("steps/*/*.jsonl"):
        found[str(path.relative_to(folder.path))] = plain(list(files.lines(path)))
    found["files"] = sorted(
        str(path.relative_to(folder.path)) for path in folder.path.rglob("*") if path.suffix != ".log"
    )
    return found


@POSIX
@pytest.mark.sweep
@pytest.mark.timeout(3000)
def test_a_project_that_is_killed_twenty_times_is_the_one_that_was_not(tmp_path):
    data, log = tmp_path / "data.jsonl", tmp_path / "changes.txt"
    files.write_lines(data, rows(90))
    calm, killed = (new_project(tmp_path / name / "p", data) for name in ("calm", "killed"))
    done = command("run", str(calm.path), log=str(log))
    assert done.returncode == 0, done.stderr
    for moment in moments(log):
        before = {step: folder_result for step in STEPS if (folder_result := killed.result(step))}
        done = command("run", str(killed.path), end=moment)
        assert done.returncode == -signal.SIGKILL, f"{moment}: {done.returncode} {done.stdout} {done.stderr}"
        assert {step: killed.result(step) for step in before} == before, f"{moment}: a step that was done is lost"
    done = command("run", str(killed.path))
    assert done.returncode == 0, done.stderr
    assert left(killed) == left(calm)
    for place in ("train/model", "export/merged"):
        model = Path("steps", place, "model.safetensors")
        assert weights_are_equal(calm.path / model, killed.path / model)
