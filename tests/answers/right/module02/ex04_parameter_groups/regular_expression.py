"""Reads the layer with a regular expression, sorts, and hands over names with the parameters."""

import itertools
import re

from torch import nn

LAYER = re.compile(r"bert\.encoder\.layer\.(\d+)\.")


def parameter_groups(model, lr, layer_decay, weight_decay):
    n = len(model.bert.encoder.layer)
    norm_names = {
        f"{prefix}.{name}" if prefix else name
        for prefix, module in model.named_modules()
        if isinstance(module, nn.LayerNorm)
        for name, _ in module.named_parameters()
    }

    def settings(item):
        name, _ = item
        if name.startswith("bert.embeddings."):
            height = -1
        elif found := LAYER.match(name):
            height = int(found[1])
        else:
            height = n
        rate = lr
        for _ in range(n - height):
            rate = rate * layer_decay
        return rate, (0.0 if name.rpartition(".")[2] == "bias" or name in norm_names else weight_decay)

    trained = sorted(((n, p) for n, p in model.named_parameters() if p.requires_grad), key=settings)
    return [
        {"params": list(items), "lr": rate, "weight_decay": decay, "betas": (0.9, 0.98)}
        for (rate, decay), items in itertools.groupby(trained, key=settings)
    ]
