"""Measures what freezing saves in a BERT of the size of bert-base, with random weights: numbers, not quality.

For each way to freeze: the parameters that train, the bytes of their gradients and of AdamW's two moments
(float32), and the bytes of intermediate results that autograd keeps in one forward pass over 4 texts of 64
tokens, in train mode.
Run: python figures/module02_freeze_layers.py
With --draw it makes the drawing alone, from the numbers of the last run.
"""

import json
import sys
from pathlib import Path

import torch
from drawing import FROZEN, TRAINS, arrow, box, results_of, save, sheet
from transformers import BertConfig, BertForSequenceClassification

NAME = Path(__file__).stem
WAYS = {
    "nothing": (False, ()),
    "embeddings": (True, ()),
    "embeddings, layers 0-3": (True, range(4)),
    "embeddings, layers 0-7": (True, range(8)),
    "embeddings, all 12 layers": (True, range(12)),
    "layers 4-11 (the upper ones)": (False, range(4, 12)),
}


def kept_bytes(model, tokens):
    """Of the tensors that autograd saves in a forward pass, each storage once, parameters left out."""
    parameters = {p.untyped_storage().data_ptr() for p in model.parameters()}
    sizes = {}
    alive = []  # a freed storage could be used again for another tensor

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            sizes[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(input_ids=tokens, labels=torch.zeros(len(tokens), dtype=torch.long))
    return sum(sizes.values())


def draw():
    """The pile of a BERT, frozen in six ways, and how far down the backward pass has to go."""
    frozen = {  # the bottom part is 0, layer i is i + 1, the head is 13
        "nothing": ("none", ()),
        "embeddings": ("emb.", range(1)),
        "embeddings, layers 0-3": ("to 3", range(5)),
        "embeddings, layers 0-7": ("to 7", range(9)),
        "embeddings, all 12 layers": ("to 11", range(13)),
        "layers 4-11 (the upper ones)": ("4 to 11", range(5, 13)),
    }
    results = results_of(NAME)
    figure, axes = sheet(4.7)
    tops = [10.5, 14.5, *[16.5 + 2 * i for i in range(12)], 42.5]  # the edges of the 14 parts
    for text, part in (("head", 13), ("layer 11", 12), ("layer 4", 5), ("layer 0", 1), ("embeddings", 0)):
        axes.text(9.9, (tops[part] + tops[part + 1]) / 2, text, ha="right", va="center")
    axes.text(9.9, 44.6, "frozen", ha="right")
    axes.text(9.9, 8.2, "train, M", ha="right", va="center")
    axes.text(9.9, 5.4, "kept, MB", ha="right", va="center")
    for column, (way, (title, parts)) in enumerate(frozen.items()):
        x = 11.2 + 6.8 * column
        for part in range(14):
            look = ("", FROZEN, "////") if part in parts else ("", TRAINS)
            box(axes, x, tops[part], 3.8, tops[part + 1] - tops[part], *look)
        lowest = min(set(range(14)) - set(parts))
        arrow(axes, (x + 5, 42.5), (x + 5, tops[lowest] + 0.3))
        axes.text(x + 1.9, 44.6, title, ha="center")
        axes.text(x + 1.9, 8.2, f"{results[way]['parameters that train'] / 1e6:.1f}", ha="center", va="center")
        axes.text(x + 1.9, 5.4, f"{results[way]['kept for the backward pass, MB']:.1f}", ha="center", va="center")
    box(axes, 1, 1, 3.8, 2, fill=TRAINS)
    axes.text(5.4, 2, "trains", va="center")
    box(axes, 13, 1, 3.8, 2, fill=FROZEN, hatch="////")
    axes.text(17.4, 2, "frozen", va="center")
    arrow(axes, (27, 3), (27, 0.6))
    axes.text(28, 2, "way of the gradient", va="center")
    save(figure, NAME)


def main():
    torch.manual_seed(0)
    model = BertForSequenceClassification(BertConfig(num_labels=2, attn_implementation="eager")).train()
    tokens = torch.randint(0, model.config.vocab_size, (4, 64))
    results = {}
    for way, (embeddings, layers) in WAYS.items():
        model.requires_grad_(True)
        model.bert.embeddings.requires_grad_(not embeddings)
        for i in layers:
            model.bert.encoder.layer[i].requires_grad_(False)
        count = sum(p.numel() for p in model.parameters() if p.requires_grad)
        results[way] = {
            "parameters that train": count,
            "gradients and moments, MB": round(12 * count / 1e6, 1),
            "kept for the backward pass, MB": round(kept_bytes(model, tokens) / 1e6, 1),
        }
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    (Path(__file__).parent / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw()


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
