# names: parts-found-by-words
# breaks: "and anything else that somebody has added"
import re


def freeze_layers(model, n_layers):
    total = len(model.bert.encoder.layer)
    if n_layers not in range(total + 1):
        raise ValueError(f"n_layers={n_layers}")
    model.requires_grad_(True)
    model.bert.embeddings.requires_grad_(False)
    for name, p in model.named_parameters():
        place = re.search(r"encoder\.layer\.(\d+)\.", name)
        if place and int(place[1]) < n_layers:
            p.requires_grad_(False)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
