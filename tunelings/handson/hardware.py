"""The hardware table: what a training run needs in GPU memory, by the formula of exercise 5.08.

The sums are made by the reference of 5.08 itself, so the table, `tunelings doctor` and the exercise cannot disagree.
Two rows need what that formula leaves out: activations without checkpointing, and weights that QLoRA keeps in float32.
"""

from __future__ import annotations

from dataclasses import dataclass

from tunelings import loading
from tunelings.handson.memory import PRESETS, Run

REFERENCE = "5.08"
NF4_BITS = 4.127  # a weight in NF4 with double quantization
# Usable memory in GiB is a little less than what is on the box; the desktop takes a share of it as well.
CARDS = {
    "RTX 3060 (12 GB)": 12,
    "RTX 4060 Ti (16 GB)": 16,
    "RTX 5070 (12 GB)": 12,
    "RTX 5070 Ti (16 GB)": 16,
    "RTX 3090, 4090 (24 GB)": 24,
    "RTX 5090 (32 GB)": 32,
    "T4 (16 GB)": 14.7,  # what torch reports: error correction takes the rest
    "L4, A10 (24 GB)": 24,
    "A100 (40 GB)": 40,
    "A100, H100 (80 GB)": 80,
}


@dataclass(frozen=True)
class Row:
    """One line of the table: a run, and what it needs."""

    name: str
    shape: tuple[int, int, int, int, int]  # parameters, layers, hidden, vocab, trainable_lora
    technique: str
    batch: int
    seq_len: int
    about: str
    heads: int = 0  # attention heads of a run without checkpointing; 0 with it
    float32: int = 0  # parameters that `prepare_model_for_kbit_training` raises to float32
    run: Run | None = None  # the same run for the calculator and `doctor --measure`; None is the network for digits

    @property
    def parts(self) -> dict[str, float]:
        """GiB by part; the last one is `total`: what `estimate_vram` says, but for what it leaves out."""
        reference = loading.reference(REFERENCE)
        shape = reference.ModelShape(*self.shape)
        total = reference.estimate_vram(shape, self.technique, self.batch, self.seq_len)
        bare = reference.estimate_vram(shape._replace(layers=0, hidden=0, vocab=0), self.technique, 1, 1)
        no_logits = reference.estimate_vram(shape._replace(vocab=0), self.technique, self.batch, self.seq_len)
        overhead = reference.estimate_vram(reference.ModelShape(0, 0, 0, 0, 0), self.technique, 1, 1)
        in_float32 = self.float32 * (4 - NF4_BITS / 8) / reference.GIB
        activations = self.stored_activations if self.heads else no_logits - bare
        parts = {
            "weights, gradients, optimizer": bare - overhead + in_float32,
            "activations": activations,
            "logits": total - no_logits,
            "context": overhead,
        }
        return {**parts, "total": sum(parts.values())}

    @property
    def stored_activations(self) -> float:
        """GiB that all layers keep in float32 without checkpointing, the attention scores included.

        In 16 bits a layer keeps s b h (34 + 5 a s / h) bytes (Korthikanti and others, 2022, equation 1), in float32
        twice that.
        """
        _, layers, hidden, _, _ = self.shape
        tokens = self.batch * self.seq_len
        return 2 * tokens * layers * (34 * hidden + 5 * self.heads * self.seq_len) / 2**30


# Llama-2-7B: 6.738e9 parameters; LoRA with r = 16 on all linear layers trains 39,976,960.
LLAMA_7B = (6_738_415_616, 32, 4096, 32_000, 39_976_960)
NOT_QUANTIZED = 2 * 32_000 * 4096 + 65 * 4096  # its embedding, its head and 65 norms
BERT = "float32, no checkpointing, batch 32, 128 tokens"
BERT_RUN = Run(PRESETS["BERT-base"], "full", True, 32, 128, checkpointing=False, stored_scores=True)
LLAMA = PRESETS["Llama 2 7B"]
ROWS = (
    Row("small model from scratch", (1_199_882, 4, 128, 10, 0), "full", 64, 1, "a CNN on digits; a CPU does it too"),
    Row("BERT-base, fine-tuning", (109_482_240, 12, 768, 2, 0), "full", 32, 128, BERT, heads=12, run=BERT_RUN),
    Row(
        "7B, QLoRA",
        LLAMA_7B,
        "qlora",
        1,
        512,
        "NF4 base, r = 16, batch 1, 512 tokens",
        float32=NOT_QUANTIZED,
        run=Run(LLAMA, "qlora"),
    ),
    Row("7B, LoRA", LLAMA_7B, "lora", 1, 512, "bf16 base, r = 16, batch 1, 512 tokens", run=Run(LLAMA, "lora")),
    Row(
        "7B, full fine-tuning",
        LLAMA_7B,
        "full",
        1,
        512,
        "AdamW, 16 bytes a parameter, batch 1, 512 tokens",
        run=Run(LLAMA, "full"),
    ),
)


def usable(gib: float) -> float:
    """What a run can take of a card's memory: the driver and a desktop keep the rest."""
    return gib * 0.94
