# names: layernorm-by-name
# breaks: "wherever that is and whatever its name"
def parameter_groups(model, lr, layer_decay, weight_decay):
    n = len(model.bert.encoder.layer)
    no_decay = (".bias", "LayerNorm.weight")

    def rate(name):
        if name.startswith("bert.embeddings."):
            return lr * layer_decay ** (n + 1)
        for i in range(n):
            if name.startswith(f"bert.encoder.layer.{i}."):
                return lr * layer_decay ** (n - i)
        return lr

    return [
        {"params": [p], "lr": rate(name), "weight_decay": 0.0 if name.endswith(no_decay) else weight_decay}
        for name, p in model.named_parameters()
        if p.requires_grad
    ]
