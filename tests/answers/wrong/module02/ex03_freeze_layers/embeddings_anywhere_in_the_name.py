# names: parts-found-by-words
# breaks: "anything else that somebody has added"
def freeze_layers(model, n_layers):
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers must be from 0 to {len(layers)}, got {n_layers}")
    trained = 0
    for name, p in model.named_parameters():
        words = name.split(".")
        low = "encoder" in words and int(words[words.index("layer") + 1]) < n_layers if "layer" in words else False
        p.requires_grad_("embeddings" not in name and not low)
        trained += p.numel() if p.requires_grad else 0
    return trained
