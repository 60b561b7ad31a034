# names: value-not-in-message
# breaks: "whose message contains the value"
def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if n_layers < 0 or n_layers > len(layers):
        raise ValueError("n_layers is out of range")
    for p in model.parameters():
        p.requires_grad = True
    for part in [model.bert.embeddings, *layers[:n_layers]]:
        for p in part.parameters():
            p.requires_grad = False
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
