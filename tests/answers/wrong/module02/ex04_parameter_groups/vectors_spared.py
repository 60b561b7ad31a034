# names: decay-by-dimension
# breaks: "Nothing else is exempt"
def parameter_groups(model, lr, layer_decay, weight_decay):
    n = len(model.bert.encoder.layer)
    parts = [(model.bert.embeddings, n + 1)] + [(x, n - i) for i, x in enumerate(model.bert.encoder.layer)]
    parts.append((model, 0))
    seen, groups = set(), []
    for part, steps in parts:
        new = [p for p in part.parameters() if p.requires_grad and p not in seen]
        seen.update(new)
        rate = lr * layer_decay**steps
        groups.append({"params": [p for p in new if p.ndim >= 2], "lr": rate, "weight_decay": weight_decay})
        groups.append({"params": [p for p in new if p.ndim < 2], "lr": rate, "weight_decay": 0.0})
    return groups
