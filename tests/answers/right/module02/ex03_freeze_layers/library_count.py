"""Sets each part by its own rule and asks transformers for the count."""

from torch import nn


def _set(module: nn.Module, trains: bool) -> None:
    for parameter in module.parameters():
        parameter.requires_grad = trains


def freeze_layers(model, n_layers):
    body = model.base_model
    total = len(body.encoder.layer)
    if n_layers > total or n_layers < 0:
        raise ValueError(f"{n_layers} layers asked for, 0 to {total} possible")
    for parameter in model.parameters():
        parameter.requires_grad = True
    for child_name, child in body.named_children():
        if child_name == "embeddings":
            _set(child, False)
    for number, layer in enumerate(body.encoder.layer):
        _set(layer, number >= n_layers)
    return model.num_parameters(only_trainable=True)
