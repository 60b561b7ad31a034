# names: scalars-spared
# breaks: "Nothing else is exempt"
from torch import nn


def parameter_groups(model, lr, layer_decay, weight_decay):
    layers = model.bert.encoder.layer
    height = {id(p): len(layers) + 1 for p in model.bert.embeddings.parameters()}
    for i, layer in enumerate(layers):
        for p in layer.parameters():
            height.setdefault(id(p), len(layers) - i)
    spared = {id(p) for m in model.modules() if isinstance(m, nn.LayerNorm) for p in m.parameters(recurse=False)}
    groups = []
    for name, p in model.named_parameters():
        if p.requires_grad:
            free = id(p) in spared or name.split(".")[-1] == "bias" or p.ndim == 0
            rate = lr * layer_decay ** height.get(id(p), 0)
            groups.append({"params": [p], "lr": rate, "weight_decay": 0.0 if free else weight_decay})
    return groups
