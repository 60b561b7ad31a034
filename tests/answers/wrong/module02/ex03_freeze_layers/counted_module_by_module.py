# names: shared-counted-twice
# breaks: "once if modules share it"
def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers is {n_layers}")
    model.requires_grad_(True)
    for module in [model.bert.embeddings, *layers[:n_layers]]:
        module.requires_grad_(False)
    own = [p for module in model.modules() for p in module.parameters(recurse=False)]
    return sum(p.numel() for p in own if p.requires_grad)
