"""Full, LoRA or QLoRA, and how large a batch: chosen by the machine, with the sums of 3.02 and 5.08.

On a GPU 5.08's estimate decides; on a CPU the bytes of 3.02 and the activations must fit into the memory that is free.
Each choice has its reason, which `new` writes beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tunelings.project.base import Shape
from tunelings.project.config import Train
from tunelings.project.parts import Parts

GIB = 2**30
BATCHES = (8, 4, 2, 1)
EFFECTIVE = 8  # examples of an update
ENCODED = 32  # the same of an encoder, whose texts are short: as in 2.08, and in one piece where it fits
RANK = 8
SMALL = 30_000_000  # parameters; a model under this trains whole in little time
USABLE = 0.94  # of a card's memory: the driver and a desktop keep the rest
CPU_SHARE = 0.7  # of the free memory: the data and the libraries need some
LEARNING_RATES = {"full": 5e-5, "lora": 5e-4, "qlora": 5e-4}
ENCODER_RATE = 1e-4  # as in 2.08
TECHNIQUES = ("full", "lora", "qlora")


@dataclass(frozen=True)
class Machine:
    """What training can use; `gpus` has the free GiB of each."""

    gpus: tuple[float, ...]
    ram_gib: float
    cores: int


@dataclass(frozen=True)
class Plan:
    technique: str
    batch_size: int
    accumulation: int
    lr: float
    processes: int
    needs_gib: float
    why: dict[str, str]


def examine() -> Machine:
    import os

    import psutil
    import torch

    gpus = tuple(torch.cuda.mem_get_info(i)[0] / GIB for i in range(torch.cuda.device_count()))
    return Machine(gpus, psutil.virtual_memory().available / GIB, os.cpu_count() or 1)


def free_gib(machine: Machine) -> float:
    """What a training may take: of each GPU, else of the CPU's memory."""
    return min(machine.gpus) * USABLE if machine.gpus else machine.ram_gib * CPU_SHARE


def gib(amount: float) -> str:
    return f"{amount:.1f} GiB" if amount >= 0.1 else f"{1024 * amount:.0f} MiB"


def needed(shape: Shape, technique: str, batch: int, length: int, parts: Parts, *, on_gpu: bool) -> float:
    """GiB of a training run: on a GPU by 5.08; on a CPU by 3.02 in float32, with activations that are all kept."""
    trainable = lora_count(shape, parts)
    if on_gpu:
        with parts.using("5.08") as sums:
            of = sums.ModelShape(shape.parameters, shape.layers, shape.hidden, shape.vocab, trainable)
            return float(sums.estimate_vram(of, technique, batch, length))
    with parts.using("3.02") as sums:
        if technique == "full":
            states = sums.training_memory(0, shape.parameters).total
        else:
            bits = {"lora": 32, "qlora": 4}[technique]
            states = sums.training_memory(shape.parameters, trainable, frozen_bits=bits, double_quant=True).total
    tokens = batch * length
    activations = 4 * tokens * shape.hidden * shape.layers * 17 + 3 * 4 * tokens * shape.vocab
    return float((states + activations) / GIB)


def lora_count(shape: Shape, parts: Parts) -> int:
    with parts.using("3.02") as sums:
        return int(sums.lora_parameters(shape.linear, RANK, list(shape.linear))) if shape.linear else 0


def choose(shape: Shape, machine: Machine, length: int, parts: Parts) -> Plan:
    """The first technique, and its largest batch, that fit; `length` is the tokens of a long example."""
    if not shape.is_causal:
        return choose_for_encoder(shape, machine, length, parts)
    if not machine.gpus:
        return choose_for_cpu(shape, machine, length, parts)
    free = free_gib(machine)
    candidates = TECHNIQUES if shape.parameters < SMALL else TECHNIQUES[1:]
    for technique in candidates:
        for batch in BATCHES:
            needs = needed(shape, technique, batch, length, parts, on_gpu=True)
            if needs <= free:
                where = f"each of {len(machine.gpus)} GPUs" if len(machine.gpus) > 1 else "the GPU"
                why = f"needs {gib(needs)} by 5.08, and {where} can use {gib(free)}"
                return plan(technique, batch, needs, why, processes=len(machine.gpus))
    needs = needed(shape, "qlora", 1, length, parts, on_gpu=True)
    there = f"it needs {needs:.1f} GiB, and {free:.1f} GiB are available"
    why = f"not even QLoRA at batch 1 fits: {there}; choose a smaller model"
    return plan("qlora", 1, needs, why)


def choose_for_cpu(shape: Shape, machine: Machine, length: int, parts: Parts) -> Plan:
    free = free_gib(machine)
    for technique in ("full", "lora") if shape.parameters < SMALL else ("lora",):
        for batch in BATCHES[1:]:
            needs = needed(shape, technique, batch, length, parts, on_gpu=False)
            if needs <= free:
                small = "; in a small model, all weights train" if technique == "full" else ""
                why = f"needs {gib(needs)}, and {gib(free)} of the computer's memory are available{small}"
                return plan(technique, batch, needs, why)
    needs = needed(shape, "lora", 1, length, parts, on_gpu=False)
    why = f"needs {needs:.1f} GiB, and {free:.1f} GiB are available: choose a smaller model, or close programs"
    return plan("lora", 1, needs, why)


def choose_for_encoder(shape: Shape, machine: Machine, length: int, parts: Parts) -> Plan:
    """All of it is trained: 3.03 attaches adapters to causal models."""
    free = free_gib(machine)
    for batch in (ENCODED, ENCODED // 2, *BATCHES):
        needs = needed(shape, "full", batch, length, parts, on_gpu=bool(machine.gpus))
        if needs <= free:
            break
    why = f"{gib(needs)} of {gib(free)}; 3.03 attaches adapters to causal models; in encoders, all weights train"
    reasons = {"train.technique": why, "train.accumulation": f"{ENCODED} examples an update", "train.lr": "as in 2.08"}
    return Plan("full", batch, ENCODED // batch, ENCODER_RATE, 1, needs, reasons)


def plan(technique: str, batch: int, needs: float, why: str, processes: int = 1) -> Plan:
    accumulation = max(1, EFFECTIVE // (batch * processes))
    reasons = {
        "train.technique": why,
        "train.accumulation": f"{batch * accumulation * processes} examples an update",
        "train.lr": f"usual for {technique}",
    }
    return Plan(technique, batch, accumulation, LEARNING_RATES[technique], processes, needs, reasons)


def ways(train: Train, shape: Shape, machine: Machine) -> tuple[str, ...]:
    """The techniques that there are for this model on this machine, the largest first."""
    if train.pipeline == "whole":
        return ("lora",)  # 3.12 attaches its own adapters, to a base as it is.
    if not shape.is_causal:
        return ("full",)  # 3.03 attaches adapters to causal models.
    return (
        TECHNIQUES if machine.gpus and train.head == "answer" else ("full", "lora")
    )  # 3.05 is for models that answer.


def smaller(
    technique: str, batch: int, accumulation: int, among: tuple[str, ...] = TECHNIQUES
) -> tuple[str, int, int] | None:
    """The next setting that needs less memory and makes the same updates; None where there is none."""
    if batch > 1:
        return technique, batch // 2, accumulation * batch // (batch // 2)
    following = among[among.index(technique) + 1 :] if technique in among else ()
    return (following[0], batch, accumulation) if following else None


def advice(shape: Shape, machine: Machine, examples: int, has_passages: bool, parts: Parts) -> str:
    """What 5.08's table recommends for this task, in a line; of a computer without GPU it gets the memory that is free.

    Passages count as private knowledge, and the answers' form as a format: that is what the data can show.
    """
    with parts.using("5.08") as sums:
        of = sums.ModelShape(shape.parameters, shape.layers, shape.hidden, shape.vocab, lora_count(shape, parts))
        memory = min(machine.gpus, default=machine.ram_gib)
        said = sums.recommend(sums.Task(examples, False, has_passages, True, False, memory, of))
        return f"{said.approach} (looked at {', '.join(said.reasons)})"
