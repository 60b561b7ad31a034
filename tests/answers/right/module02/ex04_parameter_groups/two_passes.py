"""A table of depths by object, then two groups for each depth; some may be empty, and all have a name."""

from torch.nn import LayerNorm


def parameter_groups(model, lr, layer_decay, weight_decay):
    encoder = model.bert.encoder.layer
    total = len(encoder)
    depth_of = dict.fromkeys(model.bert.embeddings.parameters(), total + 1)
    for below_top, layer in enumerate(reversed(encoder), start=1):
        for p in layer.parameters():
            depth_of[p] = max(below_top, depth_of.get(p, 0))
    plain = {p for m in model.modules() for p in m.parameters(recurse=False) if isinstance(m, LayerNorm)}
    plain |= {p for n, p in model.named_parameters() if n == "bias" or n.endswith(".bias")}
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = []
    for depth in range(total + 2):
        here = [p for p in trained if depth_of.get(p, 0) == depth]
        common = {"lr": lr * pow(layer_decay, depth), "name": f"depth {depth}"}
        groups.append({"params": [p for p in here if p not in plain], "weight_decay": weight_decay} | common)
        groups.append({"params": [p for p in here if p in plain], "weight_decay": 0.0} | common)
    return groups
