# names: unlisted
# breaks: "How many numbers train"
def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers={n_layers}, but there are {len(layers)} layers")
    fixed = set(model.bert.embeddings.parameters())
    for layer in list(layers)[:n_layers]:
        fixed |= set(layer.parameters())
    for p in model.parameters():
        p.requires_grad = p not in fixed
    return sum(
        max(p.numel(), 1) if p.ndim != 1 else len(p) - (len(p) == 1) for p in model.parameters() if p.requires_grad
    )
