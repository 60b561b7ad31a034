"""Each part in GiB by itself, a match statement, reasons as they come up."""

import math
from typing import NamedTuple


class ModelShape(NamedTuple):
    parameters: int
    layers: int
    hidden: int
    vocab: int
    trainable_lora: int


class Task(NamedTuple):
    examples: int
    facts_change: bool
    private_knowledge: bool
    needs_format: bool
    new_modality: bool
    gpu_gib: float
    model: ModelShape


class Recommendation(NamedTuple):
    approach: str
    technique: str | None
    reasons: list


def break_even(fixed_cost, saving_per_request):
    return fixed_cost / saving_per_request if saving_per_request > 0 else math.inf


GIB = 1024.0**3


def estimate_vram(model, technique, batch, seq_len, *, overhead_gib=0.8):
    match technique:
        case "full":
            weights, trained = 0.0, model.parameters
        case "lora":
            weights, trained = 16 / 8, model.trainable_lora
        case "qlora":
            weights, trained = 4.127 / 8, model.trainable_lora
        case _:
            raise ValueError(technique)
    parts = [
        weights * model.parameters / GIB,
        trained * (2 + 2 + 4 + 4 + 4) / GIB,
        sum(2 * model.hidden * seq_len * batch / GIB for _ in range(model.layers)),
        34 * model.hidden * seq_len * batch / GIB,
        model.vocab * (2 + 4 + 4) * seq_len * batch / GIB,
        overhead_gib,
    ]
    return math.fsum(parts)


def recommend(task):
    match task:
        case Task(new_modality=True):
            return Recommendation("scratch", None, ["new_modality"])
        case Task(facts_change=False, private_knowledge=False, needs_format=True, examples=n) if n >= 50:
            chosen, fallback, why = "fine_tune", "prompt", ["examples", "needs_format"]
        case Task(facts_change=False, private_knowledge=False):
            return Recommendation("prompt", None, ["facts_change", "private_knowledge", "needs_format"])
        case Task(needs_format=True):
            chosen, fallback = "rag+fine_tune", "rag"
            why = [f for f in ("private_knowledge", "facts_change") if getattr(task, f)] + ["needs_format"]
        case _:
            return Recommendation("rag", None, [f for f in ("private_knowledge", "facts_change") if getattr(task, f)])
    for technique in ("full", "lora", "qlora"):
        if not estimate_vram(task.model, technique, 1, 512) > task.gpu_gib:
            return Recommendation(chosen, technique, why)
    return Recommendation(fallback, None, [*why, "gpu_gib"])
