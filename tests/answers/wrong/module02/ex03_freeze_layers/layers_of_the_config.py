# names: layers-of-the-config
# breaks: "from 0 to the number of layers in `model.bert.encoder.layer`"
def freeze_layers(model, n_layers):
    if not 0 <= n_layers <= model.config.num_hidden_layers:
        raise ValueError(f"n_layers must be from 0 to {model.config.num_hidden_layers}, got {n_layers}")
    model.requires_grad_(True)
    model.bert.embeddings.requires_grad_(False)
    for layer in model.bert.encoder.layer[:n_layers]:
        layer.requires_grad_(False)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
