"""3.12 on two processes: torchrun starts them over gloo, Accelerate makes one training of them."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.conftest import COURSE, ROOT
from tunelings.handson import processes, tiny

# transformers 5.24 warns of its own names that it calls itself.
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.xdist_group("two processes"),  # Started once, by one process.
]


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    return folder, processes.launch(COURSE.find("3.12").solution_path, folder, count=2)


@pytest.mark.timeout(600)
def test_two_processes_really_ran(two):
    _, found = two
    assert [(f["process"], f["num_processes"]) for f in found] == [(0, 2), (1, 2)]


def test_each_process_has_its_own_half_of_a_pass(two):
    _, found = two
    first, second = (set(f["pairs"]) for f in found)
    assert len(first) == len(second) == 8
    assert first | second == set(tiny.WORDS[: processes.PAIRS])


def test_both_processes_end_with_the_same_adapter_and_losses(two):
    _, found = two
    assert found[0]["adapter"] == found[1]["adapter"]
    assert found[0]["loss"] == found[1]["loss"] and len(found[0]["loss"]) == processes.STEPS


def test_the_adapter_that_was_saved_is_the_one_that_both_have(two):
    folder, found = two
    saved = load_file(folder / "adapter" / "adapter_model.safetensors")
    sums = {name.replace(".weight", ".default.weight"): tensor.double().sum().item() for name, tensor in saved.items()}
    assert sums == pytest.approx({name: sum_ for name, (sum_, _) in found[0]["adapter"].items()})


def test_two_processes_train_as_one_does_with_the_batch_of_both(two, tmp_path):
    """The gradients are averaged: each update is that of all sixteen pairs together."""
    _, found = two
    alone = processes.train(COURSE.find("3.12").solution_path, tmp_path, batch_size=2 * processes.BATCH_SIZE)
    assert alone["num_processes"] == 1 and len(alone["pairs"]) == processes.PAIRS
    assert alone["loss"] == pytest.approx(found[0]["loss"], rel=1e-3)
    assert {name: squares for name, (_, squares) in alone["adapter"].items()} == pytest.approx(
        {name: squares for name, (_, squares) in found[0]["adapter"].items()}, rel=1e-2
    )


@pytest.mark.timeout(600)
def test_the_command_of_the_lesson_works_as_it_is_printed(course_copy):
    exercise = COURSE.find("3.12")
    lesson = exercise.lesson_path.read_text(encoding="utf-8")
    (command,) = re.findall(r"^torchrun .*$", lesson, re.MULTILINE)
    shutil.copy(exercise.solution_path, course_copy.find("3.12").answer_path)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "PET_STANDALONE": "1",  # A free port, where two test runs go on at once.
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        shlex.split(command), cwd=course_copy.root, env=environment, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr
    assert sorted(re.findall(r"^process (\d) of 2 had in its first pass: \w+", done.stdout, re.MULTILINE)) == ["0", "1"]
    folder = course_copy.root / shlex.split(command)[-1]
    assert {path.name for path in folder.iterdir()} >= {"process-0.json", "process-1.json", "adapter"}


def test_a_process_that_fails_is_reported(tmp_path):
    with pytest.raises(RuntimeError, match="torchrun ended with"):
        processes.launch(ROOT / "exercises" / "nothing.py", tmp_path, count=1)
