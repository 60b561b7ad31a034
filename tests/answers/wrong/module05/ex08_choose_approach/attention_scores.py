# names: attention-scores-counted
# breaks: "these bytes"
# breaks: "Attention scores are not stored"
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


def estimate_vram(model, technique, batch, seq_len, *, overhead_gib=0.8):
    P, L, h, V, T = model
    n = batch * seq_len
    if technique == "full":
        b = 16 * P
    elif technique == "lora":
        b = 2 * P + 16 * T
    else:
        b = P * 4.127 / 8 + 16 * T
    b += 5 * batch * seq_len**2 * L
    b += n * h * (2 * L + 34) + 10 * n * V
    return b / 2**30 + overhead_gib


def recommend(task):
    if task.new_modality:
        return Recommendation("scratch", None, ["new_modality"])
    k = [f for f in ("facts_change", "private_knowledge") if getattr(task, f)]
    t = None
    for name in ("full", "lora", "qlora"):
        if estimate_vram(task.model, name, 1, 512) <= task.gpu_gib:
            t = name
            break
    if k and task.needs_format:
        return Recommendation("rag+fine_tune" if t else "rag", t, k + ["needs_format", "gpu_gib"])
    if k:
        return Recommendation("rag", None, k)
    if task.needs_format and task.examples >= 50:
        return Recommendation("fine_tune" if t else "prompt", t, ["needs_format", "examples", "gpu_gib"])
    return Recommendation("prompt", None, ["needs_format"])
