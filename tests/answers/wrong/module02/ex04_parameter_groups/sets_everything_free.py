# names: frozen-set-free
# breaks: "it is not changed"
from torch import nn


def parameter_groups(model, lr, layer_decay, weight_decay):
    n = len(model.bert.encoder.layer)
    norms = {p for m in model.modules() if isinstance(m, nn.LayerNorm) for p in m.parameters()}
    groups = []
    for name, p in model.named_parameters():
        p.requires_grad_(True)
        steps = 0
        if name.startswith("bert.embeddings."):
            steps = n + 1
        elif name.startswith("bert.encoder.layer."):
            steps = n - int(name.split(".")[3])
        spared = p in norms or name.split(".")[-1] == "bias"
        groups.append({"params": [p], "lr": lr * layer_decay**steps, "weight_decay": 0.0 if spared else weight_decay})
    return groups
