"""The pictures of the page "A transformer in ten minutes", and where the parameters of its two models are.

python figures/background_transformer.py
"""

import json
from pathlib import Path

import torch
from drawing import FROZEN, TRAINS, arrow, box, save, sheet
from matplotlib.patches import Circle
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).parent
NAME = Path(__file__).stem
TOKENS = ("the", "film", "is", "slow")
SMOLLM2 = LlamaConfig(
    vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
    num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True,
)  # fmt: skip
MINILM = BertConfig(vocab_size=30522, hidden_size=384, intermediate_size=1536, num_hidden_layers=6)


def counts(model):
    def total(*parts):
        return sum(p.numel() for name, p in model.named_parameters() if any(part in name for part in parts))

    config = model.config
    attention = total("self_attn", ".attention.self", ".attention.output.dense")
    mlp = total(".mlp.", "intermediate.dense") + sum(
        p.numel() for name, p in model.named_parameters() if ".output.dense" in name and "attention" not in name
    )
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "embedding": total("embed"),
        "attention": attention,
        "mlp": mlp,
        "hidden": config.hidden_size,
        "intermediate": config.intermediate_size,
    }


def plus(axes, x, y):
    axes.add_patch(Circle((x, y), 1.1, fc="white", ec="black", lw=0.9, zorder=4))
    axes.text(x, y - 0.1, "+", ha="center", va="center_baseline", zorder=5)


def branch(axes, stream, column, bottom, top, up):
    """A residual connection: from the stream to the column's boxes, up through them, and back into a sum."""
    axes.plot((stream, column), (bottom, bottom), color="black", lw=1.0)
    arrow(axes, (column, bottom), (column, up), width=1.0)
    arrow(axes, (column, top), (stream - 1.1, top), width=1.0)
    plus(axes, stream, top)


def draw_model():
    figure, axes = sheet(6.5)
    columns = [5.2 + 12.3 * number for number in range(len(TOKENS))]
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    for number, (x, token) in enumerate(zip(columns, TOKENS, strict=True)):
        stream = x + 5
        axes.text(stream, 1.5, token, ha="center", va="center")
        for start, end in ((3.2, 4.6), (8.6, 50), (53.4, 55.4), (59.4, 61.6)):
            arrow(axes, (stream, start), (stream, end), width=1.0)
        box(axes, stream - 4, 4.6, 8, 4, "embed", fill=FROZEN)
        box(axes, stream - 4, 50, 8, 3.4, "norm")
        box(axes, stream - 4, 55.4, 8, 4, "head", fill=FROZEN)
        branch(axes, stream, x, 15.4, 31.2, 16.4)
        box(axes, x - 3.7, 16.4, 7.4, 3.2, "norm")
        arrow(axes, (x, 19.6), (x, 25.2), width=1.0)
        box(axes, x - 3.7, 25.2, 7.4, 3.8, "attention", fill=TRAINS, fontsize=9.5)
        for left in columns[:number]:
            arrow(axes, (left, 20.4), (x - 1.2, 25.2), width=0.8)
        axes.plot((x, x), (29, 31.2), color="black", lw=1.0)
        branch(axes, stream, x, 35.8, 46.3, 36.8)
        box(axes, x - 3.7, 36.8, 7.4, 3.2, "norm")
        arrow(axes, (x, 40), (x, 41), width=1.0)
        box(axes, x - 3.7, 41, 7.4, 3.6, "MLP", fill=TRAINS)
        axes.plot((x, x), (44.6, 46.3), color="black", lw=1.0)
        guess = (*TOKENS, "and")[number + 1]
        axes.text(stream, 63, f"{guess}?", ha="center", va="center", style="italic")
    box(axes, 0.6, 10.2, 50.8, 38.2, fill="none", line="--")
    labels = (
        (11.6, "one layer, of 30"),
        (13.8, "attention: each token reads itself and earlier ones"),
        (33.6, "MLP: each token alone"),
    )
    for y, label in labels:
        axes.text(1.4, y, label, va="center", fontsize=9.5, bbox=paper, zorder=6)
    save(figure, NAME)


def mask(axes, left, top):
    """The causal mask of four tokens: a row for each query, a column for each key."""
    width, height = 4.6, 2.4
    for row, query in enumerate(TOKENS):
        y = top - (row + 1) * height
        axes.text(left - 0.6, y + height / 2, query, ha="right", va="center", fontsize=9.5)
        axes.text(left + (row + 0.5) * width, top + 1.1, query, ha="center", va="center", fontsize=9.5)
        for column in range(len(TOKENS)):
            seen = column <= row
            box(axes, left + column * width, y, width, height, "0" if seen else "−∞", fill="white" if seen else FROZEN)


def draw_layer():
    """One layer with its weights by name and shape, and the mask inside its attention."""
    figure, axes = sheet(7.6)
    sizes, stream, column = SMOLLM2, 48, 21
    wide, narrow = sizes.hidden_size, sizes.hidden_size // sizes.num_attention_heads * sizes.num_key_value_heads
    axes.text(stream, 1.4, f"[T, {wide}]", ha="center", va="center")
    arrow(axes, (stream, 2.8), (stream, 73.2))
    axes.text(stream, 74.6, f"[T, {wide}]", ha="center", va="center")
    axes.text(stream + 1.2, 25, "residual", rotation=90, ha="left", va="center", fontsize=9.5)

    branch(axes, stream, column, 4.2, 43, 5.6)
    box(axes, column - 8, 5.6, 16, 3.4, "input_layernorm", fontsize=9.5)
    for x, name, out in ((7, "q_proj", wide), (21, "k_proj", narrow), (35, "v_proj", narrow)):
        arrow(axes, (column, 9), (x, 12), width=1.0)
        box(axes, x - 6, 12, 12, 5.2, f"{name}\n{wide} → {out}", fill=TRAINS)
        arrow(axes, (x, 17.2), (x, 19.4), width=1.0)
    box(axes, 1, 19.4, 40, 14.6)
    axes.text(2, 32.6, "attention", va="center", weight="bold")
    mask(axes, 7, 29.6)
    heads = f"in {sizes.num_attention_heads} heads:\nsoftmax of\nq · k / √64\n+ mask,\nthen the\nmean of v"
    axes.text(27.2, 26.2, heads, va="center", linespacing=1.25)
    arrow(axes, (column, 34), (column, 35.8), width=1.0)
    box(axes, column - 6, 35.8, 12, 5.2, f"o_proj\n{wide} → {wide}", fill=TRAINS)
    axes.plot((column, column), (41, 43), color="black", lw=1.0)

    branch(axes, stream, column, 46, 72, 47.2)
    box(axes, column - 12, 47.2, 24, 3.4, "post_attention_layernorm", fontsize=9.5)
    for x, name in ((12, "gate_proj"), (30, "up_proj")):
        arrow(axes, (column, 50.6), (x, 53.2), width=1.0)
        box(axes, x - 7, 53.2, 14, 5.2, f"{name}\n{wide} → {sizes.intermediate_size}", fill=TRAINS)
        arrow(axes, (x, 58.4), (x, 60.2), width=1.0)
    box(axes, 5, 60.2, 32, 3.2, "SiLU(gate) × up")
    arrow(axes, (column, 63.4), (column, 65), width=1.0)
    box(axes, column - 7, 65, 14, 5.2, f"down_proj\n{sizes.intermediate_size} → {wide}", fill=TRAINS)
    axes.plot((column, column), (70.2, 72), color="black", lw=1.0)
    save(figure, f"{NAME}_layer")


def main():
    with torch.device("meta"):
        models = {"smollm2": LlamaForCausalLM(SMOLLM2), "minilm": BertModel(MINILM)}
    results = {name: counts(model) for name, model in models.items()}
    print(json.dumps(results, indent=1))
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    draw_model()
    draw_layer()


if __name__ == "__main__":
    main()
