# names: names-for-parameters
# breaks: "A list of dicts that `torch.optim.AdamW` accepts without changes"
def parameter_groups(model, lr, layer_decay, weight_decay):
    n = len(model.bert.encoder.layer)
    groups = []
    for name, p in model.named_parameters():
        steps = 0
        if "embeddings" in name:
            steps = n + 1
        elif "encoder.layer" in name:
            steps = n - int(name.split(".")[3])
        decay = 0.0 if name.endswith("bias") or "LayerNorm" in name else weight_decay
        if p.requires_grad:
            groups.append({"params": [name], "lr": lr * layer_decay**steps, "weight_decay": decay})
    return groups
