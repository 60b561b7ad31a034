# names: attribute-on-the-module
# breaks: "Frozen (`requires_grad` is False): every parameter"
def freeze_layers(model, n_layers):
    n = len(model.bert.encoder.layer)
    if n_layers < 0 or n_layers > n:
        raise ValueError(f"n_layers = {n_layers}")
    for p in model.parameters():
        p.requires_grad = True
    model.bert.embeddings.requires_grad = False
    for i in range(n_layers):
        model.bert.encoder.layer[i].requires_grad = False
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
