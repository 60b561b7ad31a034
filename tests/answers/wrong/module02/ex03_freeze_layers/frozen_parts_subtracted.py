# names: counted-by-subtraction
# breaks: "only once if modules share it"


def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers is {n_layers}, not from 0 to {len(layers)}")
    model.requires_grad_(True)
    model.bert.embeddings.requires_grad_(False)
    for layer in layers[:n_layers]:
        layer.requires_grad_(False)
    frozen = sum(p.numel() for part in (model.bert.embeddings, *layers[:n_layers]) for p in part.parameters())
    return model.num_parameters() - frozen
