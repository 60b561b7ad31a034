# names: embeddings-matched-by-prefix
# breaks: "anything else that somebody has added"
def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers must be from 0 to {len(layers)}, not {n_layers}")
    low = {id(p) for layer in layers[:n_layers] for p in layer.parameters()}
    for name, p in model.named_parameters():
        p.requires_grad = not (name.startswith("bert.embeddings") or id(p) in low)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
