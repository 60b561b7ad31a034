# names: bias-anywhere-in-the-name
# breaks: "the last part of its full name, is exactly `bias`"
def parameter_groups(model, lr, layer_decay, weight_decay):
    from torch import nn

    norm = [p for m in model.modules() if isinstance(m, nn.LayerNorm) for p in m.parameters()]
    n_layers = len(model.bert.encoder.layer)
    groups = []
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        if "bert.embeddings." in name:
            rate = lr * layer_decay ** (n_layers + 1)
        elif "encoder.layer." in name:
            rate = lr * layer_decay ** (n_layers - int(name.split("encoder.layer.")[1].split(".")[0]))
        else:
            rate = lr
        no_decay = "bias" in name or any(p is q for q in norm)
        groups.append({"params": [p], "lr": rate, "weight_decay": 0.0 if no_decay else weight_decay})
    return groups
