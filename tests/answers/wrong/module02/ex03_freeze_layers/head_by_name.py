# names: head-listed-by-name
# breaks: "anything else that somebody has added"
def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers = {n_layers}")
    for p in model.parameters():
        p.requires_grad = False
    for part in [*layers[n_layers:], model.bert.pooler, model.classifier]:
        for p in part.parameters():
            p.requires_grad = True
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
