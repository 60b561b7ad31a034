# names: old-gradients-dropped
# breaks: "only `requires_grad` of its parameters changes"
def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers must be from 0 to {len(layers)}, got {n_layers}")
    model.requires_grad_(True)
    for part in [model.bert.embeddings, *layers[:n_layers]]:
        for p in part.parameters():
            p.requires_grad = False
            p.grad = None
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
