# names: unlisted
# breaks: "gets the rate of its first place"
from torch import nn


def parameter_groups(model, lr, layer_decay, weight_decay):
    layers = model.bert.encoder.layer
    rates = {}
    heights = [*((layer, len(layers) - i) for i, layer in enumerate(layers)), (model.bert.embeddings, len(layers) + 1)]
    for part, steps in heights:
        for p in part.parameters():
            rates.setdefault(id(p), lr * layer_decay**steps)
    norms = [module for module in model.modules() if isinstance(module, nn.LayerNorm)]
    spared = {id(p) for norm in norms for p in norm.parameters()}
    groups = {}
    for name, p in model.named_parameters():
        if p.requires_grad:
            decay = 0.0 if name.rpartition(".")[2] == "bias" or id(p) in spared else weight_decay
            groups.setdefault((rates.get(id(p), lr), decay), []).append(p)
    return [{"params": held, "lr": rate, "weight_decay": decay} for (rate, decay), held in groups.items()]
