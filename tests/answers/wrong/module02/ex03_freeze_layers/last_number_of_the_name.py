# names: parts-found-by-words
# breaks: "which means the remaining encoder layers"
import re


def freeze_layers(model, n_layers):
    total = len(model.bert.encoder.layer)
    if n_layers < 0 or n_layers > total:
        raise ValueError(f"{n_layers} layers of {total}")
    for name, p in model.named_parameters():
        numbers = re.findall(r"layer\.(\d+)\.", name) if name.startswith("bert.encoder.layer.") else []
        low = bool(numbers) and int(numbers[-1]) < n_layers
        p.requires_grad = not (low or name.startswith("bert.embeddings."))
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
