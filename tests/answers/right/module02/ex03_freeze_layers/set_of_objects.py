"""Collects the parameters to be frozen as objects, and counts by their shapes."""

import itertools
import math


def freeze_layers(model, n_layers):
    encoder = model.bert.encoder
    if n_layers not in range(len(encoder.layer) + 1):
        raise ValueError(f"{n_layers=} is out of range")
    fixed_modules = [model.bert.embeddings, *itertools.islice(encoder.layer, n_layers)]
    fixed = {id(p) for module in fixed_modules for p in module.parameters()}
    for p in model.parameters():
        p.requires_grad_(id(p) not in fixed)
    return sum(math.prod(p.shape) for p in model.parameters() if id(p) not in fixed)
