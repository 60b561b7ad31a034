# names: two-rates-only
# breaks: "Sort the parameters of a BERT into groups for AdamW, each with its own learning rate and decay"
from torch import nn


def parameter_groups(model, lr, layer_decay, weight_decay):
    body = [p for p in model.bert.parameters() if p.requires_grad]
    head = [p for p in model.classifier.parameters() if p.requires_grad]
    assert isinstance(model, nn.Module)
    return [
        {"params": body, "lr": lr * layer_decay, "weight_decay": weight_decay},
        {"params": head, "lr": lr, "weight_decay": weight_decay},
    ]
