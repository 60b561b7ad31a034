# names: tensor-returned
# breaks: "How many numbers train, as an int"
import numpy as np


def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers must be from 0 to {len(layers)}, got {n_layers}")
    model.requires_grad_(True)
    model.bert.embeddings.requires_grad_(False)
    layers[:n_layers].requires_grad_(False)
    return sum(np.prod(p.shape) for p in model.parameters() if p.requires_grad)
