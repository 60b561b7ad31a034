"""The doctor, on what nvidia-smi and torch say of several cards; and once on this machine."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from packaging.requirements import Requirement

from tests.support.systems import POSIX
from tunelings.commands import doctor, tables
from tunelings.commands.doctor import GIB, Machine
from tunelings.grading import environment
from tunelings.handson import hardware

# The architectures for which PyTorch's wheels are built, by CUDA version (.ci/manywheel/build_cuda.sh).
CU121 = "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90".split()
CU128 = "sm_70 sm_75 sm_80 sm_86 sm_90 sm_100 sm_120".split()
CU130 = "sm_75 sm_80 sm_86 sm_90 sm_100 sm_120 compute_120".split()
# `nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader,nounits`
RTX_5070_TI = "NVIDIA GeForce RTX 5070 Ti, 580.95.05, 16303, 12.0\n"
RTX_5070_TI_OLD_DRIVER = "NVIDIA GeForce RTX 5070 Ti, 572.83, 16303, 12.0\n"
RTX_4090 = "NVIDIA GeForce RTX 4090, 550.120, 24564, 8.9\n"
RTX_3060 = "NVIDIA GeForce RTX 3060, 580.65.06, 12288, 8.6\n"
GTX_1080 = "NVIDIA GeForce GTX 1080, 580.65.06, 8192, 6.1\n"
TWO = "NVIDIA A100-SXM4-40GB, 580.65.06, 40960, 8.0\nNVIDIA A100-SXM4-40GB, 580.65.06, 40960, 8.0\n"

WELL = Machine(
    python=(3, 11),
    system="Linux x86_64",
    packages={Requirement("torch>=2.7"): "2.15.0", Requirement("peft>=0.18"): "0.21.2"},
    ram=16 * GIB,
    disk_free=50 * GIB,
    models={"minilm": True},
    smi=RTX_3060,
    torch_cuda="13.0",
    torch_sees=True,
    arch_list=CU130,
    hub=True,
)


def wrong(machine: Machine) -> list[doctor.Finding]:
    return [finding for finding in doctor.findings(machine) if finding.state == "wrong"]


def test_a_machine_that_is_well_has_nothing_to_put_right():
    assert wrong(WELL) == []
    assert all(finding.state == "ok" and not finding.remedy for finding in doctor.findings(WELL))


@pytest.mark.parametrize(
    ("smi", "cuda", "arch_list", "says", "remedy"),
    [
        (RTX_5070_TI, "12.1", CU121, "has code for sm_50, ", "pip install --force-reinstall torch torchvision"),
        (RTX_5070_TI_OLD_DRIVER, "12.1", CU121, "has code for sm_50, ", '"torch<2.12" torchvision --index-url'),
        (RTX_5070_TI_OLD_DRIVER, "13.0", CU130, "CUDA 13.0 needs driver 580", '"torch<2.12" torchvision --index-url'),
        (
            RTX_4090,
            "13.0",
            CU130,
            "CUDA 13.0 needs driver 580",
            '"torch<2.15" torchvision --index-url https://download.pytorch.org/whl/cu126',
        ),
        (GTX_1080, "13.0", CU130, "has code for sm_75, ", "/whl/cu126"),
        (RTX_3060, None, [], "built without CUDA", "pip install --force-reinstall torch torchvision"),
    ],
)
def test_a_torch_that_does_not_fit_the_card_is_named_with_the_one_that_does(smi, cuda, arch_list, says, remedy):
    (finding,) = wrong(replace(WELL, smi=smi, torch_cuda=cuda, arch_list=arch_list))
    assert says in finding.what and remedy in finding.remedy


@pytest.mark.parametrize(
    ("smi", "cuda", "arch_list"),
    [
        (RTX_5070_TI, "13.0", CU130),
        (RTX_5070_TI_OLD_DRIVER, "12.8", CU128),
        (RTX_4090, "12.8", CU128),
        (TWO, "13.0", CU130),
    ],
)
def test_a_torch_that_fits_is_not_called_wrong(smi, cuda, arch_list):
    assert wrong(replace(WELL, smi=smi, torch_cuda=cuda, arch_list=arch_list)) == []


def test_intermediate_code_runs_on_a_newer_card():
    newer = "NVIDIA Card of Tomorrow, 700.10, 32768, 13.0\n"
    assert wrong(replace(WELL, smi=newer)) == []
    assert wrong(replace(WELL, smi=newer, arch_list=CU128))


def test_a_card_that_torch_does_not_see_says_so():
    (finding,) = wrong(replace(WELL, torch_sees=False, arch_list=[]))
    assert finding.what.endswith("torch doesn't see it") and "CUDA_VISIBLE_DEVICES" in finding.remedy


def test_each_card_has_a_line_and_its_memory():
    assert [gpu.memory_gib for gpu in doctor.gpus(TWO)] == [40.0, 40.0]
    assert sum("A100" in finding.what for finding in doctor.findings(replace(WELL, smi=TWO))) == 2


@pytest.mark.parametrize("smi", ["", "Failed to initialize NVML: Driver/library version mismatch\n"])
def test_no_gpu_is_no_fault(smi):
    machine = replace(WELL, smi=smi, torch_sees=False, arch_list=[])
    assert wrong(machine) == []
    assert any(finding.what == "no NVIDIA GPU" for finding in doctor.findings(machine))


def test_a_card_without_a_torch_needs_one_and_not_another_build():
    packages: dict[Requirement, str | None] = {Requirement("torch>=2.7"): None}
    finding = of_the_card(replace(WELL, packages=packages, torch_cuda=None, torch_sees=False, arch_list=[]))
    assert (finding.state, finding.remedy) == ("note", environment.REMEDY)
    assert finding.what.endswith(": torch isn't installed yet")


def of_the_card(machine: Machine) -> doctor.Finding:
    (finding,) = (finding for finding in doctor.findings(machine) if finding.what.startswith("NVIDIA"))
    return finding


def test_packages_that_are_missing_or_old_are_named():
    machine = replace(WELL, packages={Requirement("torch>=2.7"): "2.5.1", Requirement("peft>=0.18"): None})
    assert [finding.what for finding in wrong(machine)] == [
        "torch is 2.5.1, and torch>=2.7 is needed",
        "peft is not installed",
    ]
    assert all("uv sync" in finding.remedy for finding in wrong(machine))


def test_a_bare_folder_is_told_one_number_of_packages(monkeypatch):
    monkeypatch.setattr(environment, "_version", lambda name: None)
    environment.installed.cache_clear()
    try:
        assert environment.missing() == [requirement.name for requirement in environment.installed()]
    finally:
        environment.installed.cache_clear()


def test_little_room_an_old_python_a_missing_model_and_a_silent_hub():
    machine = replace(WELL, python=(3, 10), ram=4 * GIB, disk_free=GIB // 2, models={"minilm": False}, hub=False)
    assert len(wrong(machine)) == 3
    notes = {finding.what: finding.remedy for finding in doctor.findings(machine) if finding.state == "note"}
    assert notes["the model minilm (2.08, 5.09) isn't downloaded"] == "tunelings models get minilm"
    assert any("Hub doesn't answer" in what for what in notes)


def test_this_machine_is_examined_and_the_table_is_shown(tunelings):
    said = tunelings("doctor")
    assert said.code == 0, said.out
    assert "Python 3." in said.out and "7B, QLoRA" in said.out


@POSIX
def test_each_finding_is_printed_before_what_takes_longer_is_asked(tunelings, monkeypatch, tmp_path, capsys):
    card = tmp_path / "nvidia-smi"
    card.write_text(f"#!/bin/sh\nprintf '{RTX_3060.strip()}\\n'\n", encoding="utf-8")
    card.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    printed = {}

    def after(what: str, answer):
        printed[what] = capsys.readouterr().out
        return answer

    monkeypatch.setattr(doctor, "_ask_torch", lambda: after("before torch", ("13.0", True, CU130)))
    monkeypatch.setattr(doctor, "_hub_answers", lambda: after("before the hub", True))
    last = tunelings("doctor").out
    assert all(words in printed["before torch"] for words in ("Python 3.", "packages", "of disk free", "the model "))
    assert "RTX 3060" in printed["before the hub"] and printed["before the hub"].count("\n") == 1
    assert last.splitlines()[0].endswith("the Hugging Face Hub answers")


@pytest.mark.parametrize(("gib", "fits"), [(16, ": fits this card"), (5, ": doesn't fit this card"), (None, "")])
def test_a_row_of_the_table_says_its_memory_and_whether_it_fits_the_card(capsys, gib, fits):
    (row,) = (row for row in hardware.ROWS if row.name == "7B, QLoRA")
    tables.show_hardware([row], gib)
    assert capsys.readouterr().out == (
        "7B, QLoRA (NF4 base, r = 16, batch 1, 512 tokens)\n"
        f"    5.8 GiB, of which 4.7 for the weights and the optimizer{fits}\n"
    )
