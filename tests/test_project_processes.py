"""Several processes through `accelerate launch`, on the CPU.

    pytest tests/test_project_processes.py -m sweep
"""

from __future__ import annotations


import pytest
import torch
from safetensors.torch import load_file

from tests.support.projects import change, course_with, project, reference, rows, run
from tunelings.project import config as settings
from tunelings.project import folder as files
from tunelings.project import steps
from tunelings.project.errors import ProjectError

pytestmark = pytest.mark.sweep
FLOAT32 = 2**-24  # the largest relative error of one rounding


def trained(folder: files.Folder) -> tuple[list[dict], dict[str, torch.Tensor]]:
    steps.run_apart(folder, "train", lambda said: None, **steps.launch_options(folder, settings.load(folder)))
    curves = list(files.lines(folder.done("train") / "curves.jsonl"))
    return curves, load_file(folder.done("train") / "model" / "model.safetensors")


def test_two_processes_train_the_model_of_one(tmp_path):
    """The same micro-batches: two in turn by one process, or one by each of two, with as many examples an update.

    The weights are equal, bit for bit. Either way a gradient is the sum of two, which does not depend on their order;
    the factor 2 of the loss and the division by 2 processes are exact. Only the loss that is written down is rounded:
    one process adds and divides in 64 bits, two put theirs into 32 bits, add them, and halve the sum exactly.
    """
    folder = project(tmp_path, rows(80), steps=6)
    run(folder, "data")
    one, weights = trained(folder)
    change(folder, "accumulation = 2", "accumulation = 1")
    change(folder, "processes = 1", "processes = 2")
    two, same = trained(folder)
    assert [row["step"] for row in one] == [row["step"] for row in two]
    assert [row["val_loss"] for row in one if "val_loss" in row] == [row["val_loss"] for row in two if "val_loss" in row]
    losses = [[row["loss"] for row in curve if "loss" in row] for curve in (one, two)]
    assert losses[1] == pytest.approx(losses[0], rel=3 * FLOAT32, abs=0) and len(losses[0]) == 6
    assert weights.keys() == same.keys() and all(torch.equal(weights[name], same[name]) for name in weights)


def test_memory_that_runs_out_in_the_second_process_is_said_and_the_next_run_goes_on_smaller(tmp_path, monkeypatch):
    """The first process waits for the second in a sum, so nothing can go on in place: the run ends, and says how."""
    planted = """
    import torch.distributed
    if torch.distributed.get_rank() == 1 and not os.path.exists(FLAG):
        open(FLAG, "w").close()
        raise MemoryError
    # BEGIN SOLUTION"""
    flag = f"import os\n\nFLAG = {str(tmp_path / 'flag')!r}\n\nfrom collections.abc"
    text = reference("1.07").replace("    # BEGIN SOLUTION", planted).replace("from collections.abc", flag, 1)
    (tmp_path / "course").mkdir()
    course_with(tmp_path / "course", {"1.07": text})
    (tmp_path / "p").mkdir()
    folder = project(tmp_path / "p", rows(80), steps=6)
    change(folder, "processes = 1", "processes = 2")
    run(folder, "data")
    monkeypatch.chdir(tmp_path / "course")
    line = "Memory runs out with full at batch 4: run it again, and it continues with full at batch 2."
    with pytest.raises(ProjectError, match=line):
        trained(folder)
    trained(folder)
    result = folder.result("train")
    assert (result["batch_size"], result["accumulation"], result["was_caught"]) == (2, 4, True)
