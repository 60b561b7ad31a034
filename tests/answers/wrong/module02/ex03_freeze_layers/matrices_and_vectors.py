# names: sizes-of-two-dimensions
# breaks: "How many numbers train"
# A convolution has three dimensions and a scalar none.

from transformers import BertForSequenceClassification


def freeze_layers(model: BertForSequenceClassification, n_layers: int) -> int:
    layers = model.bert.encoder.layer
    if not 0 <= n_layers <= len(layers):
        raise ValueError(f"n_layers must be from 0 to {len(layers)}, got {n_layers}")
    model.requires_grad_(True)
    model.bert.embeddings.requires_grad_(False)
    for layer in layers[:n_layers]:
        layer.requires_grad_(False)
    return sum(p.shape[0] * p.shape[1] if p.dim() == 2 else p.shape[0] for p in model.parameters() if p.requires_grad)
