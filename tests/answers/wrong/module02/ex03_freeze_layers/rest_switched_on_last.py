# names: shared-weight-switched-on-again
# breaks: "every parameter of any kind in `model.bert.embeddings`"


def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers has to be from 0 to {len(layers)}, not {n_layers}")
    for part in (model.bert.embeddings, *layers[:n_layers]):
        part.requires_grad_(False)
    frozen = ("bert.embeddings.", *(f"bert.encoder.layer.{i}." for i in range(n_layers)))
    for name, p in model.named_parameters(remove_duplicate=False):
        if not name.startswith(frozen):
            p.requires_grad_(True)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
