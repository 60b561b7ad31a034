# names: names-matched-by-prefix
# breaks: "Trained (`requires_grad` is True): every other parameter, which means the remaining encoder layers"
def freeze_layers(model, n_layers):
    total = len(model.bert.encoder.layer)
    if not (0 <= n_layers <= total):
        raise ValueError(f"n_layers={n_layers}, total={total}")
    prefixes = ("bert.embeddings",) + tuple("bert.encoder.layer." + str(i) for i in range(n_layers))
    count = 0
    for name, p in model.named_parameters():
        p.requires_grad = not name.startswith(prefixes)
        count += p.numel() if p.requires_grad else 0
    return count
