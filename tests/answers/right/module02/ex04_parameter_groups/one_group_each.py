"""One group for each parameter, found by walking the parts of the model from below."""

import torch.nn as nn


def parameter_groups(model, lr, layer_decay, weight_decay):
    layers = list(model.bert.encoder.layer)
    seen, groups = set(), []

    def add(part, rate):
        for module in part.modules():
            for name, p in module.named_parameters(recurse=False):
                if id(p) in seen:
                    continue
                seen.add(id(p))
                if p.requires_grad:
                    decays = not isinstance(module, nn.LayerNorm) and name != "bias"
                    groups.append({"params": p, "lr": rate, "weight_decay": weight_decay if decays else 0})

    rate = lr * layer_decay ** (len(layers) + 1)
    add(model.bert.embeddings, rate)
    for layer in layers:
        rate /= layer_decay
        add(layer, rate)
    add(model, lr)
    return groups
