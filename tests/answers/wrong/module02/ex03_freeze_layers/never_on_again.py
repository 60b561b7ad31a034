# names: stays-frozen
# breaks: "What was frozen before the call has no influence"
def freeze_layers(model, n_layers):
    n = len(model.bert.encoder.layer)
    if n_layers < 0 or n_layers > n:
        raise ValueError(f"n_layers = {n_layers}")
    modules = [model.bert.embeddings] + [model.bert.encoder.layer[i] for i in range(n_layers)]
    for module in modules:
        for p in module.parameters():
            p.requires_grad = False
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
