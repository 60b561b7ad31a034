"""Reads the number of the layer out of each parameter's name."""


def freeze_layers(model, n_layers):
    total = len(model.bert.encoder.layer)
    if n_layers < 0 or n_layers > total:
        raise ValueError(f"cannot freeze {n_layers} layers of {total}")
    trained = 0
    for name, parameter in model.named_parameters():
        path = name.split(".")
        in_embeddings = path[:2] == ["bert", "embeddings"]
        in_frozen_layer = path[:3] == ["bert", "encoder", "layer"] and int(path[3]) < n_layers
        parameter.requires_grad = not (in_embeddings or in_frozen_layer)
        if parameter.requires_grad:
            trained += parameter.numel()
    return trained
