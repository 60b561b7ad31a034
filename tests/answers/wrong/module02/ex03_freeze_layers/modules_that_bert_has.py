# names: known-modules-only
# breaks: "every parameter of any kind"

from torch import nn


def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers has to be from 0 to {len(layers)}, not {n_layers}")
    model.requires_grad_(True)
    for part in (model.bert.embeddings, *layers[:n_layers]):
        for module in part.modules():
            if isinstance(module, (nn.Linear, nn.Embedding, nn.LayerNorm)):
                module.requires_grad_(False)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
