"""A training that is killed, that runs out of disk; and the sentence at its end."""

from __future__ import annotations

import errno
import json
import shutil

import pytest
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from safetensors.torch import load_file

from tests.conftest import COURSE
from tests.support.projects import Heard, change, copy_of, project, rows, run
from tunelings.project import child, verdict
from tunelings.project import config as settings
from tunelings.project import folder as files
from tunelings.project.ask import answer_all
from tunelings.project.errors import ProjectError
from tunelings.project.parts import Parts


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> files.Folder:
    """A project whose data step is done, and its uninterrupted training beside it."""
    path = tmp_path_factory.mktemp("projects") / "colors"
    path.mkdir()
    folder = project(path, rows(90))
    run(folder, "data", "train")
    folder.done("train").rename(path / "whole")
    return folder


class Killed(BaseException):
    """Ends a step as a kill does: nothing that comes after it runs."""


def killed_in(folder: files.Folder, number: str, name: str, call: int) -> None:
    """Run the training, and end it in this call of a part's function."""
    parts = Parts(COURSE)
    real, calls = getattr(parts[number], name), iter(range(1, 1000))

    def function(*args, **options):
        if next(calls) == call:
            raise Killed
        return real(*args, **options)

    setattr(parts[number], name, function)
    with pytest.raises(Killed):
        child.run(folder, "train", parts, Heard())


def same_training(folder: files.Folder) -> bool:
    whole, here = folder.path / "whole", folder.done("train")
    weights = [load_file(one / "model" / "model.safetensors") for one in (whole, here)]
    curves = [[{**row, "seconds": 0} for row in files.lines(one / "curves.jsonl")] for one in (whole, here)]
    return curves[0] == curves[1] and all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize(
    ("number", "name", "call"),
    [("1.07", "train_epoch", 2), ("1.07", "train_epoch", 8), ("1.09", "save_checkpoint", 1),
     ("1.09", "save_checkpoint", 5), ("1.09", "save_checkpoint", 12)],
)  # fmt: skip
def test_a_training_that_was_killed_ends_as_the_one_that_was_not(prepared, tmp_path, number, name, call):
    folder = copy_of(prepared, tmp_path)
    killed_in(folder, number, name, call)
    assert folder.result("train") is None
    with open(folder.work("train") / "curves.jsonl", "a", encoding="utf-8") as file:
        file.write('{"step": 99, "lo')  # a line that was cut short
    run(folder, "train")
    assert same_training(folder)


def test_what_ends_while_a_result_is_put_in_place_leaves_the_older_one_or_the_new_one(prepared, tmp_path, monkeypatch):
    folder = copy_of(prepared, tmp_path)
    before = folder.result("data")

    def fails(*args):
        raise Killed

    work = folder.begin("data", "another")
    (work / "train.jsonl").write_text("", encoding="utf-8")
    monkeypatch.setattr(files.os, "replace", fails)
    with pytest.raises(Killed):
        folder.finish("data", {"key": "another", "parts": {}})
    assert folder.result("data") == before


def test_a_full_disk_is_one_line_and_costs_no_checkpoint(prepared, tmp_path, monkeypatch):
    folder = copy_of(prepared, tmp_path)
    parts = Parts(COURSE)
    parts["1.09"].save_checkpoint = lambda *args: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left"))
    with pytest.raises(ProjectError, match="The disk is full .*: make room and run it again"):
        child.run(folder, "train", parts, Heard())
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(ProjectError, match="No room for checkpoints: .* MB are needed"):
        run(folder, "train")
    monkeypatch.undo()
    run(folder, "train")
    assert same_training(folder)


def test_a_configuration_that_shards_the_model_is_one_line(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(Accelerator, "distributed_type", DistributedType.FSDP)
    with pytest.raises(ProjectError, match="accelerate_config asks for FSDP, which shards the model"):
        run(copy_of(prepared, tmp_path), "train")


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # peft's
def test_lora_trains_little_and_the_adapter_merges(prepared, tmp_path):
    folder = copy_of(prepared, tmp_path)
    change(folder, 'technique = "full"', 'technique = "lora"')
    change(folder, "shots = 4", "shots = 0")
    run(folder, "baseline", "train", "compare", "export")
    result = folder.result("train")
    assert result["trained"] < 0.3 * 200_000
    assert (folder.done("export") / "adapter" / "adapter_model.safetensors").stat().st_size < 500_000
    config = json.loads((folder.done("export") / "adapter" / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == "tiny"
    assert folder.result("export")["parts"]["3.06"]["does"] == "merging"
    assert "few-shot prompt" in folder.result("baseline")["skipped"]


def test_answers_go_on_after_the_last_whole_batch(tmp_path):
    path, asked = tmp_path / "a.jsonl", []

    def ask(batch):
        asked.append(len(batch))
        return [turns[0]["content"].upper() for turns in batch]

    questions = [[{"role": "user", "content": letter}] for letter in "abcde"]
    path.write_text('{"answers": ["A", "B"]}\n{"answers": ["C"', encoding="utf-8")
    assert answer_all(path, questions, ask, 2) == list("ABCDE")
    assert asked == [2, 1]
    assert answer_all(path, questions, ask, 2) == list("ABCDE") and asked == [2, 1]


# ---------------------------------------------------------------- the verdict
def judged(customized: list[float], **baselines: list[float]) -> dict:
    config = settings.Config.model_validate(
        {"model": "tiny", "data": {"path": "x", "kind": "chat"}, "train": {"technique": "full"},
         "compare": {"metric": "exact_match"}}
    )  # fmt: skip
    return verdict.judge(config, customized, baselines, Parts(COURSE))


def test_it_is_kept_only_if_every_interval_is_above_zero():
    found = judged([1.0] * 60 + [0.0] * 40, majority=[0.0] * 100, prompt=[1.0] * 30 + [0.0] * 70)
    assert found["keep"] and found["sentence"].startswith(
        "Keep it: it beats every baseline; the nearest is the prompt, +0.300"
    )


def test_a_better_baseline_is_named():
    found = judged([1.0] * 20 + [0.0] * 80, majority=[0.0] * 100, retrieval=[1.0] * 60 + [0.0] * 40)
    assert not found["keep"]
    assert (
        found["sentence"] == "Not better than the retrieval (a passage in the prompt): use that, it scores 0.400 more."
    )


def test_an_equal_baseline_is_no_reason_to_keep_it():
    found = judged([1.0, 0.0] * 100, prompt=[1.0, 0.0] * 100)
    assert not found["keep"] and found["sentence"].startswith("Not better than the prompt: the difference is +0.000")


def test_nothing_inside_the_interval_wins_and_the_number_of_examples_is_said():
    customized, prompt = [1.0] * 16 + [0.0] * 24, [1.0] * 12 + [0.0] * 18 + [1.0] * 0 + [0.0] * 10
    prompt[20:22] = [1.0, 1.0]
    found = judged(customized, prompt=prompt)
    row = found["against"]["prompt"]
    assert row["low"] <= 0 <= row["high"] and not found["keep"]
    # By hand: the differences are 4 times 1, 2 times -1 and 34 times 0; mean 0.05, standard deviation 0.389.
    assert row["more"] == 475 - 40
    assert found["sentence"] == "Too few examples to tell it from the prompt: about 440 more test rows would be enough."


def test_the_rows_that_are_missing_settle_a_difference_below_the_margin_too():
    """3 of 100 rows won: 255 would show that 0.03 isn't 0, sooner than 573 that it's below the margin of 0.05."""
    found = judged([1.0] * 3 + [0.0] * 97, prompt=[0.0] * 100)
    assert found["against"]["prompt"]["says"] == "open"
    # By hand: the standard deviation is the root of 3 / 99 * 0.97, so (2.8 / 0.03)² times its square is 256.07.
    assert found["against"]["prompt"]["more"] == 257 - 100
    settled = judged([1.0] * 8 + [0.0] * 249, prompt=[0.0] * 257)
    assert settled["against"]["prompt"]["says"] == "better"


@pytest.mark.parametrize("count", [1, 5, 19])
def test_a_handful_of_rows_never_wins(count):
    found = judged([1.0] * count, prompt=[0.0] * count)
    assert not found["keep"] and found["sentence"].startswith("Too few examples to tell")
