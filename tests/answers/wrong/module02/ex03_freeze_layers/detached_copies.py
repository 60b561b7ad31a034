# names: copies-detached
# breaks: "They stay the same objects with the same values"
from torch import nn


def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers = {n_layers}")
    model.requires_grad_(True)
    for part in [model.bert.embeddings, *layers[:n_layers]]:
        for module in part.modules():
            for name, p in list(module.named_parameters(recurse=False)):
                setattr(module, name, nn.Parameter(p.detach().clone(), requires_grad=False))
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
