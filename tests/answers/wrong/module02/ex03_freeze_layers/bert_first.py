# names: pooler-frozen
# breaks: "the pooler `model.bert.pooler`"
def freeze_layers(model, n_layers):
    n = len(model.bert.encoder.layer)
    if n_layers not in range(n + 1):
        raise ValueError(f"n_layers = {n_layers}")
    for p in model.bert.parameters():
        p.requires_grad = False
    for layer in list(model.bert.encoder.layer)[n_layers:]:
        for p in layer.parameters():
            p.requires_grad = True
    for name, p in model.named_parameters():
        if not name.startswith("bert."):
            p.requires_grad = True
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
