"""Measures what freezing saves in a BERT of the size of bert-base, with random weights: numbers, not quality.

For each way to freeze: the parameters that train, the bytes of their gradients and of AdamW's two moments
(float32), and the bytes of intermediate results that autograd keeps in one forward pass over 4 texts of 64
tokens, in train mode.
Run: python docs/figures/module02_freeze_layers.py
"""

import json
from pathlib import Path

import torch
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


if __name__ == "__main__":
    main()
