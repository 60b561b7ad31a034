# names: rates-rounded
# breaks: "`lr * layer_decay ** (L - i)`"
from torch import nn


def parameter_groups(model, lr, layer_decay, weight_decay):
    depth = len(model.bert.encoder.layer)
    norms = {id(p) for m in model.modules() if isinstance(m, nn.LayerNorm) for p in m.parameters()}
    groups = {}
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        parts = name.split(".")
        if name.startswith("bert.embeddings."):
            steps = depth + 1
        elif name.startswith("bert.encoder.layer."):
            steps = depth - int(parts[3])
        else:
            steps = 0
        decay = 0.0 if parts[-1] == "bias" or id(p) in norms else weight_decay
        key = (steps, decay)
        groups.setdefault(key, {"params": [], "lr": round(lr * layer_decay**steps, 6), "weight_decay": decay})
        groups[key]["params"].append(p)
    return list(groups.values())
