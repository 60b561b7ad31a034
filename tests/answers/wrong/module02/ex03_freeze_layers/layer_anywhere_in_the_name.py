# names: parts-found-by-words
# breaks: "`model.classifier`, whatever that is made of"
def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers must be from 0 to {len(layers)}, got {n_layers}")
    fixed = ["bert.embeddings."] + [f"layer.{i}." for i in range(n_layers)]
    for name, p in model.named_parameters():
        p.requires_grad = not any(part in name for part in fixed)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
