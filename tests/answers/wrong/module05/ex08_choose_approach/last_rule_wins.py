# names: modality-last
# breaks: "Recommend the approach of the first line in this table whose condition holds."
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
    b += n * h * (2 * L + 34) + 10 * n * V
    return b / 2**30 + overhead_gib


def recommend(task):
    answer = Recommendation("prompt", None, ["needs_format"])
    if task.new_modality:
        answer = Recommendation("scratch", None, ["new_modality"])
    k = [f for f in ("facts_change", "private_knowledge") if getattr(task, f)]
    fits = [t for t in ("full", "lora", "qlora") if estimate_vram(task.model, t, 1, 512) <= task.gpu_gib]
    t = fits[0] if fits else None
    if task.needs_format and task.examples >= 50:
        answer = Recommendation("fine_tune" if t else "prompt", t, ["needs_format", "examples", "gpu_gib"])
    if k:
        answer = Recommendation("rag", None, k)
    if k and task.needs_format:
        answer = Recommendation("rag+fine_tune" if t else "rag", t, k + ["needs_format", "gpu_gib"])
    return answer
