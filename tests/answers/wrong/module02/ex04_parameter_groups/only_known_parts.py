# names: added-part-in-no-group
# breaks: "anything that somebody has added)"
from torch import nn


def parameter_groups(model, lr, layer_decay, weight_decay):
    n = len(model.bert.encoder.layer)
    parts = [(model.classifier, 0), (model.bert.pooler, 0), (model.bert.embeddings, n + 1)]
    parts += [(layer, n - i) for i, layer in enumerate(model.bert.encoder.layer)]
    groups = []
    for part, steps in parts:
        for module in part.modules():
            for name, p in module.named_parameters(recurse=False):
                if p.requires_grad:
                    spared = name == "bias" or isinstance(module, nn.LayerNorm)
                    rate = lr * layer_decay**steps
                    groups.append({"params": [p], "lr": rate, "weight_decay": 0.0 if spared else weight_decay})
    return groups
