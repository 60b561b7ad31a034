# names: weights-and-biases-only
# breaks: "every parameter of any kind"
def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers must be from 0 to {len(layers)}, got {n_layers}")
    model.requires_grad_(True)
    for part in [model.bert.embeddings, *layers[:n_layers]]:
        for module in part.modules():
            for kind in ("weight", "bias"):
                parameter = getattr(module, kind, None)
                if parameter is not None:
                    parameter.requires_grad = False
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
