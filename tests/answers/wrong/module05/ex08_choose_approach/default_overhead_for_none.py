# names: zero-overhead-taken-for-none
# breaks: "overhead_gib: GiB in use before anything is loaded."
import math
from types import SimpleNamespace
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
    return b / 2**30 + (overhead_gib or 0.8)


def technique_for(task):
    order = {"full": 0, "lora": 1, "qlora": 2}
    fitting = {t for t in order if estimate_vram(task.model, t, batch=1, seq_len=512) <= task.gpu_gib}
    return min(fitting, key=order.get) if fitting else None


def recommend(task):
    result = SimpleNamespace(approach="prompt", technique=None, reasons=["needs_format"])
    if task.new_modality:
        result.approach, result.reasons = "scratch", ["new_modality"]
        return result
    known = []
    if task.private_knowledge:
        known.append("private_knowledge")
    if task.facts_change:
        known.append("facts_change")
    if not known and not task.needs_format:
        return result
    if not task.needs_format:
        result.approach, result.reasons = "rag", known + ["new_modality"]
        return result
    if not known and task.examples < 50:
        result.reasons.append("examples")
        return result
    result.technique = technique_for(task)
    result.reasons = [*known, "needs_format", "gpu_gib"] + ([] if known else ["examples"])
    if known:
        result.approach = "rag" if result.technique is None else "rag+fine_tune"
    elif result.technique is not None:
        result.approach = "fine_tune"
    return result
