"""The picture of the page "A transformer in ten minutes", and where the parameters of its two models are.

python figures/background_transformer.py
"""

import json
from pathlib import Path

import torch
from drawing import FROZEN, TRAINS, arrow, box, save, sheet
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


def draw():
    figure, axes = sheet(5.6)
    places = [11 + 11 * number for number in range(len(TOKENS))]
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    for number, (x, token) in enumerate(zip(places, TOKENS, strict=True)):
        for start, end in ((4, 5.5), (9.9, 30), (34.4, 41.5), (45.9, 49.5)):
            arrow(axes, (x, start), (x, end), width=1.0)
        axes.text(x, 2, token, ha="center", va="center")
        box(axes, x - 4, 5.5, 8, 4.4, "embed", fill=FROZEN)
        box(axes, x - 4, 30, 8, 4.4, "MLP", fill=TRAINS)
        box(axes, x - 4, 41.5, 8, 4.4, "head", fill=FROZEN)
        for left in places[:number]:
            arrow(axes, (left, 18), (x, 24), curve=-0.12, width=0.8)
        guess = (*TOKENS, "and")[number + 1]
        axes.text(x, 51.5, f"{guess}?", ha="center", va="center", style="italic")
    box(axes, 1, 13.5, 50, 23.5, fill="none", line="--")
    labels = (
        (38.2, "one layer, of 30"),
        (14.7, "attention: from earlier tokens to later ones"),
        (27, "MLP: each token alone"),
    )
    for y, label in labels:
        axes.text(1.8, y, label, fontsize=9.5, bbox=paper, zorder=5)
    save(figure, NAME)


def main():
    with torch.device("meta"):
        models = {"smollm2": LlamaForCausalLM(SMOLLM2), "minilm": BertModel(MINILM)}
    results = {name: counts(model) for name, model in models.items()}
    print(json.dumps(results, indent=1))
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    draw()


if __name__ == "__main__":
    main()
