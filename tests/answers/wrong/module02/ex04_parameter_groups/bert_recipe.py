# names: decay-by-words
# breaks: "the last part of its full name, is exactly `bias`"
# breaks: "wherever that is and whatever its name"
def parameter_groups(model, lr, layer_decay, weight_decay):
    n = len(model.bert.encoder.layer)
    groups = []
    no_decay = ["bias", "LayerNorm.weight"]
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        steps = 0
        if name.startswith("bert.embeddings."):
            steps = n + 1
        elif name.startswith("bert.encoder.layer."):
            steps = n - int(name.split(".")[3])
        spared = any(word in name for word in no_decay)
        groups.append({"params": [p], "lr": lr * layer_decay**steps, "weight_decay": 0.0 if spared else weight_decay})
    return groups
