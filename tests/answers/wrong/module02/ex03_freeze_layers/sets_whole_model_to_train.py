# names: train-mode-set
# breaks: "each module stays in its train or eval mode"
def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers must be from 0 to {len(layers)}, got {n_layers}")
    model.train()
    model.requires_grad_(True)
    model.bert.embeddings.requires_grad_(False)
    layers[:n_layers].requires_grad_(False)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
