# names: other-length-for-the-gpu
# breaks: "at batch 1, 512 tokens and the default overhead"
# Who has thousands of examples trains with larger batches.

"""5.08 · Choose an approach: the sums and the rules by which prompting, retrieval and fine-tuning are chosen.

What a training run needs in GPU memory, when a fixed cost has paid, and the first line of a table that fits.
"""

import math
from typing import Literal, NamedTuple

GIB = 2**30
TECHNIQUES = ("full", "lora", "qlora")


class ModelShape(NamedTuple):
    """What the memory of a decoder depends on; `trainable_lora` is what LoRA adds and trains."""

    parameters: int
    layers: int
    hidden: int
    vocab: int
    trainable_lora: int


class Task(NamedTuple):
    """What is known of a task before anything is tried. `gpu_gib` is the memory of the GPU, 0 without one."""

    examples: int
    facts_change: bool
    private_knowledge: bool
    needs_format: bool
    new_modality: bool
    gpu_gib: float
    model: ModelShape


class Recommendation(NamedTuple):
    """What to do; `technique` is "full", "lora" or "qlora" where something is fine-tuned, else None."""

    approach: Literal["prompt", "rag", "fine_tune", "rag+fine_tune", "scratch"]
    technique: str | None
    reasons: list[str]


def break_even(fixed_cost, saving_per_request):
    return fixed_cost / saving_per_request if saving_per_request > 0 else math.inf


def estimate_vram(model, technique, batch, seq_len, *, overhead_gib=0.8):
    frozen, trained = {
        "full": (0, model.parameters),
        "lora": (16, model.trainable_lora),
        "qlora": (4.127, model.trainable_lora),
    }[technique]
    states = model.parameters * frozen / 8 + trained * 16
    per_token = model.hidden * (2 * model.layers + 34) + 10 * model.vocab
    return overhead_gib + (states + batch * seq_len * per_token) / GIB


def recommend(task):
    why = []
    if task.new_modality:
        return Recommendation("scratch", None, ["new_modality"])
    if task.facts_change:
        why.append("facts_change")
    if task.private_knowledge:
        why.append("private_knowledge")
    rag = bool(why)
    tune = task.needs_format and (rag or task.examples >= 50)
    if not rag or task.needs_format:
        why.append("needs_format")
    if tune and not rag:
        why.append("examples")
    if not tune:
        return Recommendation("rag" if rag else "prompt", None, why)
    for technique in TECHNIQUES:
        if estimate_vram(task.model, technique, min(8, max(1, task.examples // 1000)), 512) <= task.gpu_gib:
            return Recommendation("rag+fine_tune" if rag else "fine_tune", technique, why)
    return Recommendation("rag" if rag else "prompt", None, [*why, "gpu_gib"])
