"""Measures how far each part of a BERT moves with one rate for all, and with a rate that falls downwards.

A BERT with 12 layers of 64 and random weights takes 24 steps of AdamW (lr 1e-3, no decay) on 64 random texts
with random labels, for three values of layer_decay. Then the share of bert-base that weight decay leaves out.
Run: python figures/module02_parameter_groups.py
With --draw it makes the drawing alone, from the numbers of the last run.
"""

import json
import sys
from pathlib import Path

import torch
from drawing import plots, results_of, save
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

NAME = Path(__file__).stem
LR, STEPS, LAYERS = 1e-3, 24, 12
DECAYS = (1.0, 0.95, 0.8)
SHOWN = ("embeddings", "layer 0", "layer 5", "layer 11", "classifier")


def parts(model):
    layers = {f"layer {i}": layer for i, layer in enumerate(model.bert.encoder.layer)}
    return {"embeddings": model.bert.embeddings, **layers, "classifier": model.classifier}


def rate(part, layer_decay):
    steps_down = {"embeddings": LAYERS + 1, "classifier": 0}
    steps_down |= {f"layer {i}": LAYERS - i for i in range(LAYERS)}
    return LR * layer_decay ** steps_down[part]


def movement(layer_decay):
    """The root of the mean squared change of the weights of each part."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    config = BertConfig(
        vocab_size=100,
        hidden_size=64,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=16,
    )
    model = BertForSequenceClassification(config)
    tokens, labels = torch.randint(0, 100, (64, 16)), torch.randint(0, 2, (64,))
    groups = [{"params": part.parameters(), "lr": rate(name, layer_decay)} for name, part in parts(model).items()]
    groups.append({"params": model.bert.pooler.parameters(), "lr": LR})
    optimizer = torch.optim.AdamW(groups, weight_decay=0.0)
    before = {name: flat(part) for name, part in parts(model).items()}
    for step in range(STEPS):
        rows = slice(16 * (step % 4), 16 * (step % 4) + 16)
        optimizer.zero_grad()
        model(input_ids=tokens[rows], labels=labels[rows]).loss.backward()
        optimizer.step()
    return {name: (flat(part) - before[name]).square().mean().sqrt().item() for name, part in parts(model).items()}


def flat(part):
    return torch.cat([parameter.detach().flatten().clone() for parameter in part.parameters()])


def spared_of_bert_base():
    """How many tensors, and how many numbers, of bert-base are biases or belong to a LayerNorm."""
    with torch.device("meta"):
        model = BertForSequenceClassification(BertConfig(num_labels=2))
    norms = {id(p) for m in model.modules() if isinstance(m, nn.LayerNorm) for p in m.parameters()}
    named = list(model.named_parameters())
    spared = [p for name, p in named if name.split(".")[-1] == "bias" or id(p) in norms]
    return {
        "tensors": len(named),
        "tensors spared": len(spared),
        "numbers": sum(p.numel() for _, p in named),
        "numbers spared": sum(p.numel() for p in spared),
    }


def draw():
    """The rate of each part, and how far it moved."""
    results = results_of(NAME)
    depth = [0, 1, 6, 12, 13]
    figure, panels = plots(5.0, 2, sharex=True)
    for axes, what in zip(panels, ("rate", "change"), strict=True):
        for layer_decay, style in zip(DECAYS, ("o-", "s--", "^:"), strict=True):
            values = [results[what][str(layer_decay)][part] for part in SHOWN]
            axes.semilogy(depth, values, style, label=f"d = {layer_decay:g}")
        axes.grid(alpha=0.3)
    panels[0].set(ylabel="learning rate", title="the rate of the group")
    panels[1].set(ylabel="change of the weights", title="how far it moved in 24 steps")
    panels[0].legend(loc="lower right")
    panels[1].set_xticks(depth, ["emb.", "0", "5", "11", "head"])
    panels[1].set_xlabel("embeddings, layers 0, 5 and 11, classifier")
    save(figure, NAME)


def main():
    results = {"bert-base": spared_of_bert_base(), "change": {}, "rate": {}}
    for layer_decay in DECAYS:
        moved = movement(layer_decay)
        results["change"][str(layer_decay)] = {part: float(f"{moved[part]:.2g}") for part in SHOWN}
        results["rate"][str(layer_decay)] = {part: float(f"{rate(part, layer_decay):.3g}") for part in SHOWN}
    text = json.dumps(results, indent=2, sort_keys=True)
    print(text)
    (Path(__file__).parent / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw()


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
