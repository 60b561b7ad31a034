# names: module-called-bias-spared
# breaks: "whose own name, the last part of its full name, is exactly `bias`"

from torch import nn


def parameter_groups(model, lr, layer_decay, weight_decay):
    layers = len(model.bert.encoder.layer)
    norms = {id(p) for m in model.modules() if isinstance(m, nn.LayerNorm) for p in m.parameters(recurse=False)}
    groups = {}
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        if name.startswith("bert.embeddings."):
            steps = layers + 1
        elif name.startswith("bert.encoder.layer."):
            steps = layers - int(name.split(".")[3])
        else:
            steps = 0
        decay = 0.0 if id(p) in norms or "bias" in name.split(".") else weight_decay
        rate = lr * layer_decay**steps
        groups.setdefault((rate, decay), {"params": [], "lr": rate, "weight_decay": decay})["params"].append(p)
    return list(groups.values())
