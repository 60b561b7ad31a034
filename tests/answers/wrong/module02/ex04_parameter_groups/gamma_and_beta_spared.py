# names: gamma-and-beta-spared
# breaks: "Nothing else is exempt"
from torch import nn


def parameter_groups(model, lr, layer_decay, weight_decay):
    n_layers = len(model.bert.encoder.layer)
    norms = [module for module in model.modules() if isinstance(module, nn.LayerNorm)]
    in_norms = {id(parameter) for norm in norms for parameter in norm.parameters()}
    groups = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        path = name.split(".")
        steps_down = 0
        if path[:2] == ["bert", "embeddings"]:
            steps_down = n_layers + 1
        elif path[:3] == ["bert", "encoder", "layer"]:
            steps_down = n_layers - int(path[3])
        spared = path[-1] in ("bias", "gamma", "beta") or id(parameter) in in_norms
        rate, decay = lr * layer_decay**steps_down, 0.0 if spared else weight_decay
        group = groups.setdefault((rate, decay), {"params": [], "lr": rate, "weight_decay": decay})
        group["params"].append(parameter)
    return list(groups.values())
