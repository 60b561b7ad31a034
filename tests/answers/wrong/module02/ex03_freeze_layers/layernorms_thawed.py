# names: layernorms-left-to-train
# breaks: "every parameter of any kind in `model.bert.embeddings` and in the first `n_layers` layers"


def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers is {n_layers}, not from 0 to {len(layers)}")
    model.requires_grad_(True)
    model.bert.embeddings.requires_grad_(False)
    for layer in layers[:n_layers]:
        layer.requires_grad_(False)
    for name, p in model.named_parameters():
        if "LayerNorm" in name:
            p.requires_grad = True
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
