"""Several processes through `accelerate launch`, on the CPU.

pytest tests/test_project_processes.py -m sweep
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.support.projects import change, course_with, project, reference, rows, run
from tunelings.project import config as settings
from tunelings.project import folder as files
from tunelings.project import steps
from tunelings.project.errors import PartError, ProjectError

pytestmark = [pytest.mark.sweep, pytest.mark.timeout(1800)]
LAUNCHED = steps.launched
FLOAT32 = 2**-24  # the largest relative error of one rounding


def data_done(place: Path) -> files.Folder:
    place.mkdir()
    folder = project(place, rows(80), steps=6)
    run(folder, "data")
    return folder


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
    folder = data_done(tmp_path / "p")
    one, weights = trained(folder)
    change(folder, "accumulation = 2", "accumulation = 1")
    change(folder, "processes = 1", "processes = 2")
    two, same = trained(folder)
    assert [row["step"] for row in one] == [row["step"] for row in two]
    assert [row["val_loss"] for row in one if "val_loss" in row] == [
        row["val_loss"] for row in two if "val_loss" in row
    ]
    losses = [[row["loss"] for row in curve if "loss" in row] for curve in (one, two)]
    assert losses[1] == pytest.approx(losses[0], rel=3 * FLOAT32, abs=0) and len(losses[0]) == 6
    assert weights.keys() == same.keys() and all(torch.equal(weights[name], same[name]) for name in weights)


def planted(place: Path, lines: str) -> None:
    """A course in which the learner's 1.07 begins with these lines; FLAG is a file's name in them."""
    begin = f"import os\n\nFLAG, CALLS = {str(place / 'flag')!r}, []\n\nfrom collections.abc"
    text = reference("1.07").replace("from collections.abc", begin, 1)
    (place / "course").mkdir()
    course_with(place / "course", {"1.07": text.replace("    # BEGIN SOLUTION", f"{lines}    # BEGIN SOLUTION")})


FAILS_IN_THE_SECOND = """
    import torch.distributed
    if torch.distributed.get_rank() == 1 and not os.path.exists(FLAG):
        open(FLAG, "w").close()
        raise MemoryError
"""
ENDS_IN_THE_FIFTH_UPDATE = """
    CALLS.append(1)
    if len(CALLS) == 5 and os.environ["RANK"] == "0" and os.path.exists(FLAG):
        os.remove(FLAG)
        os._exit(9)
"""


def test_memory_that_runs_out_in_the_second_process_is_said_and_the_next_run_goes_on_smaller(tmp_path, monkeypatch):
    """The first process waits for the second in a sum, so nothing can go on in place: the run ends, and says how."""
    planted(tmp_path, FAILS_IN_THE_SECOND)
    folder = data_done(tmp_path / "p")
    change(folder, "processes = 1", "processes = 2")
    monkeypatch.chdir(tmp_path / "course")
    line = "Memory runs out with full at batch 4: run it again, and it continues with full at batch 2."
    with pytest.raises(ProjectError, match=line):
        trained(folder)
    trained(folder)
    result = folder.result("train")
    assert (result["batch_size"], result["accumulation"], result["was_caught"]) == (2, 4, True)


FSDP = """compute_environment: LOCAL_MACHINE
distributed_type: FSDP
fsdp_config:
  fsdp_version: 2
  fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP
  fsdp_reshard_after_forward: true
  fsdp_offload_params: false
  fsdp_state_dict_type: FULL_STATE_DICT
  fsdp_cpu_ram_efficient_loading: false
mixed_precision: 'no'
num_machines: 1
num_processes: 2
"""


def test_fsdp_trains_the_same_model_and_goes_on_from_a_checkpoint_of_whole_weights(tmp_path, monkeypatch):
    """torch shards over gloo; one process ends in the fifth update, and the next run begins after the fourth."""
    folder = data_done(tmp_path / "p")
    copies, weights = trained(folder)
    change(folder, "accumulation = 2", "accumulation = 1")
    change(folder, "processes = 1", "processes = 2")
    (folder.path / "fsdp.yaml").write_text(FSDP, encoding="utf-8")
    change(folder, 'accelerate_config = ""', 'accelerate_config = "fsdp.yaml"')
    planted(tmp_path, ENDS_IN_THE_FIFTH_UPDATE)
    (tmp_path / "flag").touch()
    monkeypatch.chdir(tmp_path / "course")
    monkeypatch.setattr(steps, "launched", on_the_cpu)
    with pytest.raises(PartError, match="ended without a result"):
        trained(folder)
    assert read_checkpoint(folder) == (4, {name: value.shape for name, value in weights.items()})
    sharded, same = trained(folder)
    losses = [[row["val_loss"] for row in curve if "val_loss" in row] for curve in (copies, sharded)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5) and len(losses[0]) == 6
    assert weights.keys() == same.keys()
    for name, value in weights.items():
        torch.testing.assert_close(same[name], value, rtol=1e-4, atol=1e-6)


def on_the_cpu(command: list[str], processes: int, config: str) -> list[str]:
    child = {"tunelings.project.child": "tests.support.fsdp_child"}
    return [child.get(word, word) for word in LAUNCHED(command, processes, config)]


def read_checkpoint(folder: files.Folder) -> tuple[int, dict[str, torch.Size]]:
    """The update and the shapes of 1.09's file, read without any process group."""
    found = torch.load(folder.work("train") / "checkpoint.pt", weights_only=True)
    return found["step"], {name.replace("/", "."): value.shape for name, value in found["model"].items()}
