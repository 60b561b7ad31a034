# names: zero-freezes-nothing
# breaks: "every parameter of any kind in `model.bert.embeddings`"
def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers must be from 0 to {len(layers)}, got {n_layers}")
    for p in model.parameters():
        p.requires_grad = True
    if n_layers:
        for module in (model.bert.embeddings, *layers[:n_layers]):
            module.requires_grad_(False)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
