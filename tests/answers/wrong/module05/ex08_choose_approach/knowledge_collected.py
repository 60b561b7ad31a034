# names: one-list-for-all-calls
# breaks: "the reasons name whichever of the two are true"
# A module's list collects the reasons: the second call has those of the first.
"""5.08 · Choose an approach: choose between prompting, retrieval and fine-tuning by calculation and by rules.

Estimate a training run's GPU memory, see when a fixed cost pays off, and follow the first rule that applies.
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
    """What is known about a task before anything is tried. `gpu_gib` is the GPU's memory, 0 without a GPU."""

    examples: int
    facts_change: bool
    private_knowledge: bool
    needs_format: bool
    new_modality: bool
    gpu_gib: float
    model: ModelShape


class Recommendation(NamedTuple):
    """What to do; `technique` is "full", "lora" or "qlora" if something is fine-tuned, else None."""

    approach: Literal["prompt", "rag", "fine_tune", "rag+fine_tune", "scratch"]
    technique: str | None
    reasons: list[str]


_REASONS: list[str] = []


def estimate_vram(model: ModelShape, technique: str, batch: int, seq_len: int, *, overhead_gib: float = 0.8) -> float:
    """Estimate the GPU memory of a training run with AdamW, 16-bit weights and gradient checkpointing.

    Attention scores are not stored. With P = model.parameters, T = model.trainable_lora and n = batch · seq_len
    tokens at once, add these bytes:

        states, "full"     16 · P
        states, "lora"     2 · P + 16 · T
        states, "qlora"    (4.127 / 8) · P + 16 · T
        activations        2 · n · hidden · layers + 34 · n · hidden
        logits             10 · n · vocab

    and `overhead_gib` for the CUDA context and kernels.

    Args:
        technique: "full", "lora" or "qlora" (NF4 with double quantization, 4.127 bits a parameter).
        batch: sequences at once, at least 1; `seq_len` tokens each, at least 1.
        overhead_gib: GiB in use before anything is loaded.

    Returns:
        GiB (2**30 bytes), a float.

    Method: Rajbhandari and others, ZeRO (2020), section 3.1, https://arxiv.org/abs/1910.02054; Korthikanti and
    others (2022), section 4, https://arxiv.org/abs/2205.05198; Dettmers and others, QLoRA (2023), section 3,
    https://arxiv.org/abs/2305.14314
    """
    p, t, n = model.parameters, model.trainable_lora, batch * seq_len
    states = {"full": 16 * p, "lora": 2 * p + 16 * t, "qlora": 4.127 / 8 * p + 16 * t}[technique]
    activations = 2 * n * model.hidden * model.layers + 34 * n * model.hidden
    return (states + activations + 10 * n * model.vocab) / GIB + overhead_gib


def break_even(fixed_cost: float, saving_per_request: float) -> float:
    """Given: after how many requests a fixed cost pays off; never (inf) if nothing is saved."""
    return fixed_cost / saving_per_request if saving_per_request > 0 else math.inf


def recommend(task: Task) -> Recommendation:
    """Recommend the approach of the first line in this table whose condition holds.

        line  if                                            approach         reasons hold at least
        1     new_modality                                  "scratch"        new_modality
        2     knowledge, and needs_format                   "rag+fine_tune"  the knowledge, needs_format
        3     knowledge                                     "rag"            the knowledge
        4     needs_format, and 50 examples or more         "fine_tune"      needs_format, examples
        5     anything else                                 "prompt"         needs_format

    "Knowledge" is facts_change or private_knowledge; the reasons name whichever of the two are true.

    If the table says to fine-tune (lines 2 and 4), `technique` is the first of TECHNIQUES whose
    `estimate_vram`, at batch 1, 512 tokens and the default overhead, is at most `task.gpu_gib`. If none fits,
    "fine_tune" becomes "prompt" and "rag+fine_tune" becomes "rag", and the reasons hold "gpu_gib" as well.
    In all other cases `technique` is None.

    `reasons` are names of fields of Task, each at most once, in any order. They may include other fields than
    those above, if the table looks at them in this line or an earlier one: with line 1 there are none, with line 3
    neither examples nor model nor gpu_gib.

    The lesson argues for the order of the table: https://arxiv.org/abs/2312.05934 on facts,
    https://arxiv.org/abs/2305.11206 on form.
    """
    if task.new_modality:
        return Recommendation("scratch", None, ["new_modality"])
    reasons = _REASONS
    reasons += [name for name in ("facts_change", "private_knowledge") if getattr(task, name)]
    reasons[:] = list(dict.fromkeys(reasons))
    knowledge = task.facts_change or task.private_knowledge
    technique = next((t for t in TECHNIQUES if estimate_vram(task.model, t, 1, 512) <= task.gpu_gib), None)
    if knowledge and task.needs_format:
        reasons.append("needs_format")
        if technique:
            return Recommendation("rag+fine_tune", technique, reasons)
        return Recommendation("rag", None, reasons + ["gpu_gib"])
    if knowledge:
        return Recommendation("rag", None, reasons)
    if task.needs_format and task.examples >= 50:
        if technique:
            return Recommendation("fine_tune", technique, ["needs_format", "examples"])
        return Recommendation("prompt", None, ["needs_format", "examples", "gpu_gib"])
    return Recommendation("prompt", None, ["needs_format"])
