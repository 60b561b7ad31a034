# names: unlisted
# breaks: "How many numbers train, as an int"
def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers = {n_layers}")
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    model.requires_grad_(True)
    for part in [model.bert.embeddings, *layers[:n_layers]]:
        part.requires_grad_(False)
        trained -= sum(p.numel() for p in part.parameters())
    return trained
