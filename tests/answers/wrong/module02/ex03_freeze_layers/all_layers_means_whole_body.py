# names: pooler-frozen-with-the-last-layer
# breaks: "the pooler `model.bert.pooler`"
def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers = {n_layers}")
    model.requires_grad_(True)
    if n_layers == len(layers):
        model.bert.requires_grad_(False)
    else:
        model.bert.embeddings.requires_grad_(False)
        layers[:n_layers].requires_grad_(False)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
