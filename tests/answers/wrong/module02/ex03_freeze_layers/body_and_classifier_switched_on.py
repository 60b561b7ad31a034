# names: head-listed-by-name
# breaks: "anything else that somebody has added"


def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers has to be from 0 to {len(layers)}, not {n_layers}")
    model.bert.requires_grad_(True)
    model.classifier.requires_grad_(True)
    model.bert.embeddings.requires_grad_(False)
    for layer in layers[:n_layers]:
        layer.requires_grad_(False)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
