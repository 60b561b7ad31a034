# names: shared-weight-switched-on-again
# breaks: "every parameter of any kind in `model.bert.embeddings` and in the first `n_layers` layers"
# A weight of layer 0 that an added part shares is switched on again.

from transformers import BertForSequenceClassification


def freeze_layers(model: BertForSequenceClassification, n_layers: int) -> int:
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers must be from 0 to {len(layers)}, got {n_layers}")
    model.requires_grad_(True)
    for layer in layers[:n_layers]:
        layer.requires_grad_(False)
    frozen = tuple(f"bert.encoder.layer.{i}." for i in range(n_layers))
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if not name.startswith(frozen or "-"):
            parameter.requires_grad = True
    model.bert.embeddings.requires_grad_(False)
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
