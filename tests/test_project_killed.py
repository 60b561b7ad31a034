"""kill -9 in the middle of `tunelings project run`: nothing is lost, and the result is that of a run left alone.

    pytest tests/test_project_killed.py -m sweep               twice twenty kills
    pytest tests/test_project_killed.py -m sweep -k forked     twenty, in forks that need not import torch again

The moments are changes on disk, counted by tests/support/sudden_end, so that a slow machine draws the same ones.
"""

from __future__ import annotations

import importlib.util
import os
import random
import signal
from collections import Counter
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import COURSE, ROOT
from tests.support.projects import project, rows, tunelings
from tests.support.systems import POSIX
from tunelings.commands import project as commands
from tunelings.project import base, child, steps
from tunelings.project import folder as files
from tunelings.project.parts import Parts
from tunelings.project.say import Say

HOOK = ROOT / "tests" / "support" / "sudden_end"
KILLS, SEED = 20, 14


def typed(folder: files.Folder, end: str = ":0", log: str = "") -> int:
    """The exit status of `tunelings project run`, whose steps run in child processes."""
    return tunelings("project", "run", str(folder.path), before=str(HOOK), SUDDEN_END=end, SUDDEN_LOG=log).returncode


def forked(folder: files.Folder, end: str = ":0", log: str = "") -> int:
    """The same command in a fork of this process, with its steps in it."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            os.environ |= {"SUDDEN_END": end, "SUDDEN_LOG": log}
            spec = importlib.util.spec_from_file_location("sudden_end", HOOK / "sitecustomize.py")
            hook = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(hook)
            hook.watch(str(folder.path), with_parent=False)
            steps.run_apart = lambda folder, step, hear, **options: child.run(folder, step, Parts(COURSE), Say())
            commands.run(str(folder.path), None, False, None, False, False)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def moments(log: Path) -> list[str]:
    """Twenty moments, each a step and one of its changes on disk, in the order in which a run comes to them."""
    changes = Counter(line.split()[0] for line in log.read_text(encoding="utf-8").splitlines())
    every = [(step, number + 1) for step in (*steps.STEPS, "report") for number in range(changes[step])]
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

    found: dict = {step: plain({**folder.result(step), "key": ""}) for step in steps.STEPS}  # It has the data's path.
    for path in folder.path.glob("steps/*/*.jsonl"):
        found[str(path.relative_to(folder.path))] = plain(list(files.lines(path)))
    every = (path.relative_to(folder.path) for path in folder.path.rglob("*") if path.suffix != ".log")
    return found | {"files": sorted(map(str, every))}


@POSIX
@pytest.mark.sweep
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("run", [forked, typed])
def test_a_project_that_is_killed_twenty_times_is_the_one_that_was_not(tmp_path, run):
    for name in ("calm", "killed"):
        (tmp_path / name).mkdir()
    log = tmp_path / "changes.txt"
    calm, killed = (project(tmp_path / name, rows(90), steps=24) for name in ("calm", "killed"))
    base.load_causal(tmp_path / "calm" / "tiny-model")  # Imported here once, for all forks.
    assert run(calm, log=str(log)) == 0
    for moment in moments(log):
        before = {step: found for step in steps.STEPS if (found := killed.result(step))}
        assert run(killed, end=moment) == -signal.SIGKILL, moment
        assert {step: killed.result(step) for step in before} == before, f"{moment}: a step that was done is lost"
    assert run(killed) == 0
    assert left(killed) == left(calm)
    for place in ("train/model", "export/merged"):
        model = Path("steps", place, "model.safetensors")
        assert weights_are_equal(calm.path / model, killed.path / model)
