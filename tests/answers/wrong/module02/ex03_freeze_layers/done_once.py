# names: unlisted
# breaks: "of two calls, the second decides"
# Keeps what it has done for a model and a number: the third call of 4, 1, 4 does nothing.

import functools

from transformers import BertForSequenceClassification


@functools.cache
def freeze_layers(model: BertForSequenceClassification, n_layers: int) -> int:
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers must be from 0 to {len(layers)}, got {n_layers}")
    model.requires_grad_(True)
    model.bert.embeddings.requires_grad_(False)
    for layer in layers[:n_layers]:
        layer.requires_grad_(False)
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
