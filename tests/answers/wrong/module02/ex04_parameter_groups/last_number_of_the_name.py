# names: place-by-a-number
# breaks: "a parameter in layer i, counted from 0, gets"
from torch import nn


def parameter_groups(model, lr, layer_decay, weight_decay):
    depth = len(model.bert.encoder.layer)
    norms = {id(p) for m in model.modules() if isinstance(m, nn.LayerNorm) for p in m.parameters()}
    groups = []
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        numbers = [int(part) for part in name.split(".") if part.isdigit()]
        number = numbers[-1] if name.startswith("bert.encoder.layer.") else depth
        steps = depth + 1 if name.startswith("bert.embeddings.") else depth - number
        decay = 0.0 if name.split(".")[-1] == "bias" or id(p) in norms else weight_decay
        groups.append({"params": [p], "lr": lr * layer_decay**steps, "weight_decay": decay})
    return groups
