"""Rules as data, a dataclass for the result."""

import math
from dataclasses import dataclass
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


@dataclass
class Recommendation:
    approach: str
    technique: str | None
    reasons: tuple


def break_even(fixed_cost, saving_per_request):
    return fixed_cost / saving_per_request if saving_per_request > 0 else math.inf


def estimate_vram(model, technique, batch, seq_len, *, overhead_gib=0.8):
    P, L, h, V, T = model
    n = batch * seq_len
    if technique == "full":
        b = 16 * P
    elif technique == "lora":
        b = 2 * P + 16 * T
    else:
        b = P * 4.127 / 8 + 16 * T
    b += n * h * (2 * L + 34) + 10 * n * V
    return b / 2**30 + overhead_gib


RULES = [
    (lambda t: t.new_modality, "scratch", lambda t: ("new_modality",)),
    (lambda t: knowledge(t) and t.needs_format, "rag+fine_tune", lambda t: knowledge(t) + ("needs_format", "gpu_gib")),
    (lambda t: knowledge(t), "rag", lambda t: knowledge(t)),
    (
        lambda t: t.needs_format and 50 <= t.examples,
        "fine_tune",
        lambda t: ("examples", "needs_format", "model", "gpu_gib"),
    ),
    (lambda t: True, "prompt", lambda t: ("needs_format",)),
]
FALLS_TO = {"rag+fine_tune": "rag", "fine_tune": "prompt"}


def knowledge(task):
    return tuple(name for name in task._fields[1:3] if getattr(task, name))


def recommend(task):
    approach, reasons = next((name, why(task)) for condition, name, why in RULES if condition(task))
    technique = None
    if approach in FALLS_TO:
        technique = next(
            (t for t in ("full", "lora", "qlora") if estimate_vram(task.model, t, 1, 512) <= task.gpu_gib), None
        )
        approach = approach if technique else FALLS_TO[approach]
    return Recommendation(approach, technique, reasons)
