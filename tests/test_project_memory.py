"""The technique that a machine has the memory for, and a training whose memory runs out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState

from tests.conftest import COURSE
from tests.support.projects import Heard, change, copy_of, course_with, project, reference, rows, run, tunelings
from tunelings.project import child, steps, train
from tunelings.project import folder as files
from tunelings.project import technique as techniques
from tunelings.project.base import Shape
from tunelings.project.config import Train
from tunelings.project.errors import ProjectError
from tunelings.project.parts import Parts
from tunelings.project.technique import Machine

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # peft's


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> files.Folder:
    """A project whose data step is done."""
    path = tmp_path_factory.mktemp("projects") / "colors"
    path.mkdir()
    folder = project(path, rows(90))
    run(folder, "data")
    return folder


# ---------------------------------------------------------------- foreseen
def trained_with(folder: files.Folder, gib: float, monkeypatch) -> tuple[dict, list[str]]:
    """The result and the lines of a training on a machine with so much memory."""
    monkeypatch.setattr(techniques, "examine", lambda: Machine((), gib, 2))
    child.run(folder, "train", Parts(COURSE), heard := Heard())
    return folder.result("train"), heard.lines


def needs(technique: str, batch: int) -> float:
    """GiB, by hand: float32 weights, gradients and two moments, and what the forward pass keeps."""
    shape = Shape(200_000, 3, 64, 262, 4096, True, {})
    return techniques.needed(shape, technique, batch, 48, Parts(COURSE), on_gpu=False)


def test_what_a_training_takes_is_said_before_it_begins(prepared, tmp_path, monkeypatch):
    result, lines = trained_with(copy_of(prepared, tmp_path), 8.0, monkeypatch)
    assert lines[0].startswith("Training takes about ") and lines[0].endswith(
        " of 5.6 GiB of free memory: full at batch 4."
    )
    assert (result["batch_size"], result["accumulation"], result["smaller"]) == (4, 2, False)


def test_a_smaller_batch_is_taken_before_memory_runs_out(prepared, tmp_path, monkeypatch):
    halfway = (needs("full", 2) + needs("full", 4)) / 2 / techniques.CPU_SHARE
    result, lines = trained_with(copy_of(prepared, tmp_path), halfway, monkeypatch)
    assert lines[0].startswith("Full at batch 4 would take about ") and lines[0].endswith(": full at batch 2.")
    assert (result["batch_size"], result["accumulation"], result["smaller"]) == (2, 4, True)
    assert result["steps"] == 12 and result["lr"] == 3e-3


def test_the_last_setting_is_tried_and_said_to_be_too_large(prepared, tmp_path, monkeypatch):
    result, lines = trained_with(copy_of(prepared, tmp_path), 0.001, monkeypatch)
    assert lines[0].endswith(": lora at batch 1. It may run out: take a smaller model or max_length.")
    assert (result["technique"], result["lr"]) == ("lora", techniques.LEARNING_RATES["lora"])


def test_a_run_that_goes_on_keeps_its_setting(prepared, tmp_path, monkeypatch):
    folder = copy_of(prepared, tmp_path)
    work = folder.begin("train", steps.keys(folder, child_settings(folder))["train"])
    files.write(work / "setting.json", '["full", 1, 8, false]')
    result, lines = trained_with(folder, 8.0, monkeypatch)
    assert (result["batch_size"], result["accumulation"], result["smaller"]) == (1, 8, True)
    assert not any("takes" in line for line in lines)


def child_settings(folder: files.Folder):
    from tunelings.project import config as settings

    return settings.load(folder)


def test_qlora_on_a_cpu_is_one_line(prepared, tmp_path):
    """On some CPUs its adapters would learn nothing after the first look at the validation part."""
    folder = copy_of(prepared, tmp_path)
    change(folder, 'technique = "full"', 'technique = "qlora"')
    with pytest.raises(ProjectError, match='technique = "qlora" needs a GPU: on a CPU, lora trains the same adapters.'):
        run(folder, "train")


# ---------------------------------------------------------------- caught
def test_out_of_memory_is_answered_once_by_a_smaller_batch_and_said(prepared, tmp_path):
    folder = copy_of(prepared, tmp_path)
    parts, heard = Parts(COURSE), Heard()
    real, calls = parts["1.07"].train_epoch, iter(range(100))

    def train_epoch(*args):
        if next(calls) == 3:
            raise torch.OutOfMemoryError("planted")
        return real(*args)

    parts["1.07"].train_epoch = train_epoch
    child.run(folder, "train", parts, heard)
    result = folder.result("train")
    assert (result["batch_size"], result["accumulation"], result["smaller"]) == (2, 4, True)
    assert "Memory runs out with full at batch 4: continuing with full at batch 2." in heard.lines
    assert result["steps"] == 12


def test_out_of_memory_twice_is_one_line(prepared, tmp_path):
    folder = copy_of(prepared, tmp_path)
    parts = Parts(COURSE)

    def train_epoch(*args):
        raise torch.OutOfMemoryError("planted")

    parts["1.07"].train_epoch = train_epoch
    with pytest.raises(ProjectError, match="Memory runs out with full at batch 2: take a smaller model") as error:
        child.run(folder, "train", parts, Heard())
    assert child.ended(error.value, parts, folder, "train")[0] == 2


def test_after_full_in_16_bits_comes_lora_in_32(prepared, tmp_path, monkeypatch):
    """accelerate refuses a second precision in one process, unless its state is reset."""
    AcceleratorState._reset_state()
    monkeypatch.setattr(train, "has_bfloat16", lambda: True)
    folder = copy_of(prepared, tmp_path)
    change(folder, "batch_size = 4", "batch_size = 1")
    parts, heard = Parts(COURSE), Heard()
    real, calls = parts["1.07"].train_epoch, iter(range(100))

    def train_epoch(*args):
        if next(calls) == 1:
            raise MemoryError
        return real(*args)

    parts["1.07"].train_epoch = train_epoch
    child.run(folder, "train", parts, heard)
    AcceleratorState._reset_state()
    assert "Memory runs out with full at batch 1: continuing with lora at batch 1." in heard.lines
    assert folder.result("train")["technique"] == "lora" and (folder.done("train") / "model").exists()


@pytest.mark.sweep
def test_memory_that_runs_out_in_the_learners_code_is_one_line_as_typed(prepared, tmp_path: Path):
    text = reference("1.07").replace("    # BEGIN SOLUTION", "    raise MemoryError\n    # BEGIN SOLUTION")
    (tmp_path / "course").mkdir()
    course_with(tmp_path / "course", {"1.07": text})
    folder = copy_of(prepared, tmp_path)
    done = tunelings("project", "run", str(folder.path), "train", at=tmp_path / "course")
    assert done.returncode == 2 and "Memory runs out with full at batch 4: continuing" in done.stdout
    assert done.stderr == "Memory runs out with full at batch 2: take a smaller model or max_length.\n"
    assert folder.result("data") is not None and folder.result("train") is None


# ---------------------------------------------------------------- the technique
LARGE = Shape(7_000_000_000, 32, 4096, 32_000, 4096, True, {"q_proj": (4096, 4096)})


@pytest.mark.parametrize(
    ("gpus", "technique", "processes"),
    [((140.0,), "lora", 1), ((24.0,), "lora", 1), ((12.0,), "qlora", 1), ((24.0, 24.0), "lora", 2)],
)
def test_a_gpu_gets_the_first_technique_that_fits(gpus, technique, processes):
    plan = techniques.choose(LARGE, techniques.Machine(gpus, 64.0, 8), 512, Parts(COURSE))
    assert (plan.technique, plan.processes) == (technique, processes)
    assert plan.needs_gib <= min(gpus) and "5.08" in plan.why["train.technique"]


def test_a_cpu_without_memory_is_told_so():
    plan = techniques.choose(LARGE, techniques.Machine((), 4.0, 8), 512, Parts(COURSE))
    assert plan.technique == "lora" and "choose a smaller model" in plan.why["train.technique"]


@pytest.mark.parametrize(("gib", "batch"), [(64.0, 32), (0.2, 1)])
def test_an_encoder_trains_whole_on_as_many_texts_as_fit(gib, batch):
    small = Shape(22_700_000, 6, 384, 30_522, 512, False, {})
    plan = techniques.choose(small, Machine((), gib, 2), 128, Parts(COURSE))
    assert (plan.technique, plan.batch_size, plan.batch_size * plan.accumulation) == ("full", batch, 32)


def test_the_next_smaller_setting_makes_the_same_updates():
    assert techniques.smaller("lora", 4, 2) == ("lora", 2, 4)
    assert techniques.smaller("full", 1, 8) == ("lora", 1, 8)
    assert techniques.smaller("qlora", 1, 8) is None
    assert techniques.smaller("full", 1, 8, ("full",)) is None


def test_each_model_has_the_techniques_that_its_parts_can_do():
    machine, encoder = Machine((24.0,), 64.0, 8), LARGE._replace(is_causal=False)
    answers, labels = Train(technique="full"), Train(technique="full", head="classifier")
    assert techniques.ways(answers, LARGE, machine) == ("full", "lora", "qlora")
    assert techniques.ways(answers, LARGE, Machine((), 64.0, 8)) == ("full", "lora")
    assert techniques.ways(labels, LARGE, machine) == ("full", "lora")
    assert techniques.ways(labels, encoder, machine) == ("full",)
    assert techniques.ways(Train(technique="lora", pipeline="whole"), LARGE, machine) == ("lora",)
