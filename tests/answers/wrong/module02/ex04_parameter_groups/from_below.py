# names: embeddings-like-layer-0
# breaks: "one in `model.bert.embeddings` gets `lr * layer_decay ** (L + 1)`"
from torch import nn


def parameter_groups(model, lr, layer_decay, weight_decay):
    n = len(model.bert.encoder.layer)
    norms = {p for m in model.modules() if isinstance(m, nn.LayerNorm) for p in m.parameters()}
    groups = {}
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        layer = n
        if name.startswith("bert.embeddings"):
            layer = 0
        elif name.startswith("bert.encoder.layer"):
            layer = int(name.split(".")[3])
        decay = 0.0 if p in norms or name.split(".")[-1] == "bias" else weight_decay
        key = (layer, decay)
        groups.setdefault(key, {"params": [], "lr": lr * layer_decay ** (n - layer), "weight_decay": decay})
        groups[key]["params"].append(p)
    return list(groups.values())
