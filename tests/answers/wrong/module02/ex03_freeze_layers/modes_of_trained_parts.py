# names: train-mode-set
# breaks: "each module stays in its train or eval mode"
# Puts what trains in train mode.

from transformers import BertForSequenceClassification


def freeze_layers(model: BertForSequenceClassification, n_layers: int) -> int:
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers must be from 0 to {len(layers)}, got {n_layers}")
    model.requires_grad_(True)
    model.bert.embeddings.requires_grad_(False)
    for layer in layers[:n_layers]:
        layer.requires_grad_(False)
    for layer in layers[n_layers:]:
        layer.train()
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
