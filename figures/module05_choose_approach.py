"""The memory formula of 5.08 against what torch really keeps, and against published figures. JSON and SVG.

python figures/module05_choose_approach.py

A tiny Llama trains one step on the CPU, with gradient checkpointing. What it keeps is counted, not timed: the bytes of
weights, gradients and AdamW's states, and of all tensors that autograd saves for the backward pass.
"""

import json
import sys
from pathlib import Path

import matplotlib
from drawing import drawing_path

matplotlib.use("svg")
import matplotlib.pyplot as plt
import torch
from transformers import LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from solutions.module05.ex08_choose_approach import GIB, ModelShape, estimate_vram  # noqa: E402

NAME = Path(__file__).stem
BATCH, LENGTH = 4, 256
SHAPES = {
    "1B": ModelShape(1_235_814_400, 16, 2048, 128_256, 11_272_192),
    "3B": ModelShape(3_212_749_824, 28, 3072, 128_256, 24_313_856),
    "7B": ModelShape(6_738_415_616, 32, 4096, 32_000, 39_976_960),
    "8B": ModelShape(8_030_261_248, 32, 4096, 128_256, 41_943_040),
}
TORCHTUNE = "README of torchtune, commit bd2a0fc7"
FACTORY = "README of LLaMA-Factory, commit ff6d4d12, estimated"
# run: (shape, technique, batch, tokens, is the loss taken in chunks, so that all logits are never there, GiB, source)
PUBLISHED = {
    "8B LoRA": ("8B", "lora", 2, 2048, True, 16.2, TORCHTUNE),
    "8B QLoRA": ("8B", "qlora", 2, 2048, True, 7.4, TORCHTUNE),
    "3B LoRA": ("3B", "lora", 2, 4096, True, 8.5, TORCHTUNE),
    "3B QLoRA": ("3B", "qlora", 2, 4096, True, 4.6, TORCHTUNE),
    "7B full": ("7B", "full", 1, 512, False, 120 * 1e9 / GIB, FACTORY),
    "7B LoRA": ("7B", "lora", 1, 512, False, 16 * 1e9 / GIB, FACTORY),
    "7B QLoRA": ("7B", "qlora", 1, 512, False, 6 * 1e9 / GIB, FACTORY),
}


def bytes_of(tensors):
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def measure(layers, hidden, vocab):
    """Bytes that one training step in float32 keeps: parameters, gradients, AdamW's states, saved activations."""
    torch.manual_seed(0)
    config = LlamaConfig(
        num_hidden_layers=layers, hidden_size=hidden, intermediate_size=hidden * 3, vocab_size=vocab,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=LENGTH, tie_word_embeddings=True,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    model.gradient_checkpointing_enable()
    model.train()
    optimizer = torch.optim.AdamW(model.parameters())
    ids = torch.randint(0, vocab, (BATCH, LENGTH))
    own = {parameter.data_ptr() for parameter in model.parameters()}
    saved = {}

    def keep(tensor):
        if tensor.untyped_storage().data_ptr() not in own and tensor.is_floating_point():
            saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = model(input_ids=ids, labels=ids).loss
    kept_for_backward = sum(saved.values())
    loss.backward()
    optimizer.step()
    states = [value for state in optimizer.state.values() for value in state.values() if value.dim()]
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {
        "layers": layers,
        "hidden": hidden,
        "vocab": vocab,
        "parameters": parameters,
        "states_bytes": bytes_of(model.parameters()) + bytes_of(p.grad for p in model.parameters()) + bytes_of(states),
        "formula_states_bytes": 16 * parameters,
        "kept_bytes": kept_for_backward,
        # Between forward and backward: the inputs of the layers and one copy of the logits, in float32. The inside
        # of the layer at work and the gradient of the logits come only with the backward pass.
        "formula_kept_bytes": BATCH * LENGTH * 4 * (hidden * layers + vocab),
    }


def main():
    tiny = [measure(*sizes) for sizes in [(2, 64, 512), (8, 64, 512), (8, 128, 512), (8, 128, 4096), (16, 128, 1024)]]
    for row in tiny:
        row["states_ratio"] = row["states_bytes"] / row["formula_states_bytes"]
        row["kept_ratio"] = row["kept_bytes"] / row["formula_kept_bytes"]
        print(row)
    published = {}
    for name, (shape, technique, batch, tokens, chunked, gib, source) in PUBLISHED.items():
        sizes = SHAPES[shape]._replace(vocab=0) if chunked else SHAPES[shape]
        ours = estimate_vram(sizes, technique, batch, tokens)
        published[name] = {"formula": ours, "published": gib, "ratio": ours / gib, "source": source}
        print(f"{name:<26} formula {ours:6.1f} GiB, published {gib:6.1f} GiB, ratio {ours / gib:.2f}")
    lengths = [128, 256, 512, 1024, 2048, 4096, 8192]
    curves = {t: [estimate_vram(SHAPES["7B"], t, 1, n) for n in lengths] for t in ("full", "lora", "qlora")}
    parts = {
        "7B_weights_16_bit_gib": 2 * SHAPES["7B"].parameters / GIB,
        "7B_weights_nf4_gib": 4.127 / 8 * SHAPES["7B"].parameters / GIB,
    }
    results = {"tiny": tiny, "published": published, "lengths": lengths, "curves": curves, "parts": parts}
    folder = HERE / "results"
    (folder / f"{NAME}.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    draw(results)


def draw(results):
    lengths = results["lengths"]
    curves = {name: results["curves"][name] for name in ("full", "lora", "qlora")}
    plt.rcParams["svg.hashsalt"] = NAME
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for (name, values), marker in zip(curves.items(), "osd", strict=True):
        axes.plot(lengths, values, marker=marker, label=name)
    for gib in (12, 16, 24, 80):
        axes.axhline(gib, color="0.4", linewidth=0.8, linestyle=":")
        axes.annotate(f" {gib} GiB", (1, gib), xycoords=("axes fraction", "data"), va="center", fontsize=9, color="0.4")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_yticks([5, 10, 20, 50, 100], labels=["5", "10", "20", "50", "100"])
    axes.minorticks_off()
    axes.set_xticks(lengths, labels=[str(n) for n in lengths])
    axes.set_xlabel("tokens at once")
    axes.set_ylabel("GiB")
    figure.legend(title="a 7B model", loc="outside upper center", ncols=3, frameon=False)
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


if __name__ == "__main__":
    main()
