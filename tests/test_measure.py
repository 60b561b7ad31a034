"""`tunelings doctor --measure`: a real step's memory beside the computed one, and a line where there is none."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tunelings import lessons
from tunelings.commands import measuring
from tunelings.handson import hardware, measure
from tunelings.handson.measure import FAILED, MEASURED, NOT_HERE, TOO_LARGE, Result, Room, Step
from tunelings.handson.memory import CONTEXT_GIB, GIB, Run, Sizes

CPU = Room("cpu", "CPU", 8.0)
PEFTS_OWN = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
TINY = Sizes(2, 32, 64, 4, 2, 8, 100, tied=False)


@pytest.fixture(scope="module")
def train():
    """`real_step.train` on the CPU, with the same weights each time; torch is imported here alone."""
    from tunelings.handson import real_step, tiny

    def call(run, batch=1):
        with tiny.seeded(0):
            return real_step.train(run, batch, "cpu")

    return call


@PEFTS_OWN
@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
@pytest.mark.parametrize("float32", [True, False])
def test_a_tiny_model_makes_its_steps_by_each_method(train, method: str, float32: bool):
    loss, seconds = train(Run(TINY, method, float32, batch=2, length=8, rank=2))
    assert loss == pytest.approx(4.605, abs=0.4), "the logarithm of the 100 words, as random weights give"
    assert seconds > 0


@PEFTS_OWN
@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_a_card_without_bfloat16_makes_its_steps_in_float16(train, method: str, monkeypatch: pytest.MonkeyPatch):
    import torch

    from tunelings.handson import real_step

    computed, linear = set(), torch.nn.functional.linear

    def note(*args):
        out = linear(*args)
        computed.add(out.dtype)
        return out

    monkeypatch.setattr(real_step, "sixteen_bits", lambda device: torch.float16)
    monkeypatch.setattr(torch.nn.functional, "linear", note)
    loss, _ = train(Run(TINY, method, batch=2, length=8, rank=2))
    assert loss == pytest.approx(4.605, abs=0.4)
    assert computed == {torch.float16}


@PEFTS_OWN
def test_what_trains_and_what_is_quantized_is_what_the_calculator_counts():
    import torch

    from tunelings.handson import real_step

    model = real_step.transformer(Run(TINY, "qlora", rank=2), "cpu")
    trained = [p for p in model.parameters() if p.requires_grad]
    assert sum(p.numel() for p in trained) == 2 * TINY.adapter_per_rank
    assert {p.dtype for p in trained} == {torch.float32}
    whole = [p for n, p in model.named_parameters() if "lora_" not in n and type(p).__name__ != "Params4bit"]
    assert sum(p.numel() for p in whole) == TINY.whole and {p.dtype for p in whole} == {torch.float32}
    assert not any(p.is_meta for p in model.parameters())


def test_a_head_that_is_tied_stays_the_embedding():
    from tunelings.handson import real_step

    model = real_step.transformer(Run(replace(TINY, tied=True), "full", checkpointing=False), "cpu")
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert sum(p.numel() for p in model.parameters()) == replace(TINY, tied=True).parameters


def test_an_encoder_and_the_network_for_digits_make_their_steps(train):
    bert = Run(replace(TINY, kv_heads=4, decoder=False), "full", True, 2, 8, checkpointing=False, stored_scores=True)
    assert train(bert)[0] == pytest.approx(0.693, abs=0.3)
    assert 0 < train(None, 4)[0] < 2.303, "one update has lowered the loss of a guess on the same four images"


def test_what_cannot_be_measured_says_so(train):
    with pytest.raises(ValueError, match="only AdamW"):
        train(Run(TINY, "full", optimizer="sgd"))


def test_the_peak_of_a_process_holds_what_was_freed_before_the_end():
    import torch

    from tunelings.handson import real_step

    with real_step.peak_growth("cpu") as peak:
        block = torch.ones(2**26)  # 0.25 GiB
        real_step.time.sleep(0.1)
        del block
    assert 0.24 < peak["gib"] < 0.5


def test_a_row_that_does_not_fit_or_is_for_a_gpu_is_not_tried(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(measure, "_child", lambda asked: pytest.fail("a process was started"))
    steps = [Step("large", 9.0, Run(TINY, float32=True)), Step("16 bits", 1.0, Run(TINY))]
    large, bits = measure.measure(steps, CPU)
    assert (large.state, large.why) == (TOO_LARGE, "needs 8.2 GiB, and 8.0 GiB are free")
    assert (bits.state, bits.measured_gib) == (NOT_HERE, None)


def test_on_a_card_the_context_must_fit_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(measure, "_child", lambda asked: {"gib": 7.0, "reserved_gib": 7.5, "seconds": 1, "loss": 1})
    card = Room("cuda", "A card", 8.0)
    fits, does_not = measure.measure([Step("a", 7.5, Run(TINY)), Step("b", 7.6, Run(TINY))], card)
    assert (fits.state, fits.measured_gib, fits.computed_gib) == (MEASURED, 7.0, pytest.approx(7.5 - CONTEXT_GIB))
    assert does_not.state == TOO_LARGE


@pytest.mark.parametrize(
    ("code", "out", "err", "says"),
    [
        (1, "", "Traceback:\nValueError: only AdamW\n", "ValueError: only AdamW"),
        (0, "no JSON\n", "", "the process exited with 0 and no message"),
        (-9, "", "", "the process was killed by signal 9; the system may have run out of memory"),
        (0, '{"error": "ran out of memory"}\n', "", "ran out of memory"),
    ],
)
def test_a_process_that_ends_without_an_answer_is_a_failure_in_one_line(monkeypatch, code, out, err, says):
    ended = subprocess.CompletedProcess([], code, out, err)
    monkeypatch.setattr(measure.subprocess, "run", lambda *_, **__: ended)
    (result,) = measure.measure([Step("broken", 1.0, Run(TINY, "full", float32=True))], CPU)
    assert (result.state, result.measured_gib, result.why) == (FAILED, None, says)
    with pytest.raises(measure.MeasureError, match="^Nothing can be measured: "):
        measure.room()


def test_the_script_for_a_gpu_has_runs_from_bert_to_8b_and_wants_a_gpu(monkeypatch: pytest.MonkeyPatch):
    script = runpy.run_path(str(ROOT / "figures" / "hardware_measured.py"))
    runs = script["RUNS"]
    assert all(run.method in ("full", "lora", "qlora") and run.optimizer == "adamw" for run in runs.values())
    assert (
        min(run.sizes.parameters for run in runs.values())
        < 0.2e9
        < 8e9
        < max(run.sizes.parameters for run in runs.values())
    )
    monkeypatch.setattr(measure, "room", lambda: CPU)
    with pytest.raises(SystemExit, match="needs an NVIDIA GPU"):
        script["main"]()


@pytest.mark.parametrize("there", [True, False])
def test_the_page_has_measured_figures_or_says_that_there_are_none(there: bool, tmp_path: Path):
    results = tmp_path / "results"
    shutil.copytree(ROOT / "figures" / "results", results)
    (results / "hardware_measured.json").unlink(missing_ok=True)
    if there:
        rows = [
            Result("1B, full", MEASURED, 18.4, 20.25, 21.0, 0.5),
            Result("7B, full", TOO_LARGE, 101.0, why="big"),
        ]
        text = measuring.as_json(Room("cuda", "Card of a test", 90.0), rows)
        (results / "hardware_measured.json").write_text(text, encoding="utf-8")
    source = (ROOT / "docs" / "hardware.md").read_text(encoding="utf-8")
    page = lessons.render(source, "hardware.md", results)
    assert ("not measured on a GPU yet" in page) is not there
    assert ("| 1B, full | 18.4 | 20.2 | 1.10 |" in page) is there
    assert ("| 7B, full | 101.0 | too large | big |" in page and "Card of a test" in page) is there


def test_the_command_measures_shows_and_saves(monkeypatch: pytest.MonkeyPatch, tmp_path, capsys):
    sizes = Sizes(2, 256, 512, 4, 4, 64, 8000, tied=False)
    tiny = Run(sizes, "full", True, batch=4, length=128, checkpointing=False)
    total = sum(tiny.parts().values())
    monkeypatch.setattr(hardware, "usable", lambda gib: gib)
    rows = [
        hardware.Row("tiny", (0, 0, 0, 0, 0), "full", 4, 128, "", run=tiny),
        hardware.Row("7B, LoRA", hardware.LLAMA_7B, "lora", 1, 512, "", run=Run(hardware.LLAMA, "lora")),
    ]
    monkeypatch.setattr(hardware.Row, "parts", property(lambda row: {"total": total}))
    file = tmp_path / "here.json"
    monkeypatch.setattr(measure, "room", lambda: CPU)
    assert measuring.run(rows, file) == 0
    told = json.loads(file.read_text(encoding="utf-8"))
    first, second = told["rows"]
    assert first["state"] == MEASURED and second["state"] == NOT_HERE
    least = 16 * sizes.parameters / GIB  # weights, gradients and moments
    assert least < first["measured_gib"] < 4 * first["computed_gib"]
    assert f"{first['measured_gib']:.2f}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--json", "new.json"], "pass --measure too"),
        (["--measure", "--json", "there.json"], "exists, and --json doesn't overwrite it"),
        (["--measure", "--json", "no/such/file.json"], "There is no folder"),
    ],
)
def test_a_file_that_cannot_be_written_is_one_line_before_anything_is_measured(tunelings, arguments, says, tmp_path):
    (tmp_path / "there.json").write_text("mine", encoding="utf-8")
    arguments = [str(tmp_path / word) if word.endswith(".json") else word for word in arguments]
    said = tunelings("doctor", *arguments)
    assert said.code == 2 and says in said.err and len(said.err.strip().splitlines()) == 1
    assert (tmp_path / "there.json").read_text(encoding="utf-8") == "mine"


def test_a_run_that_failed_is_shown_and_is_no_success(tunelings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(measure, "room", lambda: Room("cuda", "Card of a test", 24.0))
    monkeypatch.setattr(measure, "_child", lambda asked: {"error": "ran out of memory"})
    said = tunelings("doctor", "--measure", "--json", str(tmp_path / "here.json"))
    assert said.code == 1 and "Card of a test" in said.out and "ran out of memory" in said.out
    rows = json.loads((tmp_path / "here.json").read_text(encoding="utf-8"))["rows"]
    assert {row["name"]: row["state"] for row in rows}["7B, full fine-tuning"] == TOO_LARGE
    assert all(row["measured_gib"] is None for row in rows)
