"""What a training run needs in GPU memory, for the calculator of the hardware page (docs/assets/calculator.js).

The sums are those of exercises 3.02 and 5.08. What these leave out, stored attention scores and a run without
checkpointing, is that of Korthikanti and others (2022), equation 1. The script has the same sums; a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass

GIB = 2**30
NF4_BYTES = 4.127 / 8  # a weight in NF4 with double quantization
CONTEXT_GIB = 0.8  # the CUDA context and kernels
METHODS = ("full", "lora", "lora_8bit", "qlora")
OPTIMIZER_BYTES = {"adamw": 8, "adamw_8bit": 2, "sgd_momentum": 4, "sgd": 0}  # for each number that trains
LOGITS_BYTES = 10  # for each logit: 2 in 16 bits, a copy and a gradient in 32


@dataclass(frozen=True)
class Sizes:
    """A transformer by the sizes in its config.json; biases, positions and a pooler are not counted.

    A decoder has three matrices in its MLP, as Llama does, and a head over the vocabulary; an encoder has two, as BERT
    does, and a classifier. `tied`: the head is the embedding. All are counts of numbers.
    """

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    tied: bool
    decoder: bool = True

    @property
    def whole(self) -> int:
        """What is in no linear layer of a block, and what QLoRA keeps in float32: embedding, head, norms."""
        tables = 1 if self.tied or not self.decoder else 2
        return tables * self.vocab * self.hidden + (2 * self.layers + 1) * self.hidden

    @property
    def parameters(self) -> int:
        attention, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        mlp = (3 if self.decoder else 2) * self.hidden * self.intermediate
        return self.whole + self.layers * (2 * self.hidden * (attention + keys) + mlp)

    @property
    def adapter_per_rank(self) -> int:
        """What LoRA of rank 1 trains on every linear layer of the blocks: in + out of each."""
        attention, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        mlp = (3 if self.decoder else 2) * (self.hidden + self.intermediate)
        return self.layers * (2 * (self.hidden + attention) + 2 * (self.hidden + keys) + mlp)


@dataclass(frozen=True)
class Run:
    """One training run.

    method: one of METHODS. float32: weights and activations in 32 bits, otherwise in 16 (with a 32-bit master copy
    where all weights train). rank: of LoRA on every linear layer of the blocks. stored_scores: attention scores are
    kept for the backward pass, as eager attention does; fused attention does not.
    """

    sizes: Sizes
    method: str = "lora"
    float32: bool = False
    batch: int = 1
    length: int = 512
    checkpointing: bool = True
    stored_scores: bool = False
    optimizer: str = "adamw"
    rank: int = 16

    def parts(self) -> dict[str, float]:
        """GiB of the frozen weights, of what trains (weights, gradients, optimizer), activations, logits, context."""
        sizes = self.sizes
        trained = sizes.parameters if self.method == "full" else self.rank * sizes.adapter_per_rank
        quantized = sizes.parameters - sizes.whole
        frozen = {
            "full": 0.0,
            "lora": (4 if self.float32 else 2) * sizes.parameters,
            "lora_8bit": quantized + 4 * sizes.whole,
            "qlora": NF4_BYTES * quantized + 4 * sizes.whole,
        }[self.method]
        # 4 bytes of weight and 4 of gradient, or 2 and 2 and a master copy of 4: 8 either way.
        states = (8 + OPTIMIZER_BYTES[self.optimizer]) * trained
        tokens = self.batch * self.length
        scores = 5 * sizes.heads * self.length if self.stored_scores else 0
        layer = tokens * (34 * sizes.hidden + scores)
        kept = 2 * tokens * sizes.hidden * sizes.layers + layer if self.checkpointing else sizes.layers * layer
        outputs = sizes.vocab * tokens if sizes.decoder else 2 * self.batch
        return {
            "frozen weights": frozen / GIB,
            "what trains": states / GIB,
            "activations": kept * (2 if self.float32 else 1) / GIB,
            "logits": LOGITS_BYTES * outputs / GIB,
            "context": CONTEXT_GIB,
        }


# From the config.json of each model.
PRESETS = {
    "SmolLM2 135M": Sizes(30, 576, 1536, 9, 3, 64, 49_152, tied=True),
    "Llama 3.2 1B": Sizes(16, 2048, 8192, 32, 8, 64, 128_256, tied=True),
    "Llama 3.2 3B": Sizes(28, 3072, 8192, 24, 8, 128, 128_256, tied=True),
    "Llama 2 7B": Sizes(32, 4096, 11_008, 32, 32, 128, 32_000, tied=False),
    "Mistral 7B": Sizes(32, 4096, 14_336, 32, 8, 128, 32_000, tied=False),
    "Llama 3.1 8B": Sizes(32, 4096, 14_336, 32, 8, 128, 128_256, tied=False),
    "Llama 2 13B": Sizes(40, 5120, 13_824, 40, 40, 128, 32_000, tied=False),
    "BERT-base": Sizes(12, 768, 3072, 12, 12, 64, 30_522, tied=True, decoder=False),
}
