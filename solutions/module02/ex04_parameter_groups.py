"""2.04 · Parameter groups: the head learns fast, the lower layers slowly, and only weights decay.

The lower a pretrained layer is, the smaller the steps it needs; a new head needs the full learning rate.
"""

from torch import nn
from transformers import BertForSequenceClassification


def parameter_groups(
    model: BertForSequenceClassification, lr: float, layer_decay: float, weight_decay: float
) -> list[dict]:
    """Sort the parameters of a BERT into groups for AdamW, each with its own learning rate and decay.

    Learning rates, with the L layers in `model.bert.encoder.layer`: a parameter in layer i, counted from 0, gets
    `lr * layer_decay ** (L - i)`, one in `model.bert.embeddings` gets `lr * layer_decay ** (L + 1)`, and everything
    else (pooler, classifier, anything that somebody has added) gets `lr`.

    Weight decay: `weight_decay`, the same in every layer. It is 0 for a parameter whose own name, the last part of
    its full name, is exactly `bias`, and for every parameter of an `nn.LayerNorm` (or a class that inherits from
    it), wherever that is and whatever its name. Nothing else is exempt: not embeddings, not other vectors.

    Only parameters with `requires_grad` are in a group, and each of them once. A parameter that two modules share
    gets the rate of its first place in `model.named_parameters()`.

    Args:
        model: of any number of layers; it is not changed. At least one of its parameters trains. A LayerNorm shares its
            parameters only with other LayerNorms.
        lr, layer_decay, weight_decay: positive numbers; `layer_decay` is at most 1.

    Returns:
        A list of dicts that `torch.optim.AdamW` accepts without changes, each with the keys `params`, `lr` and
        `weight_decay`. The number of groups, their order and further keys are not promised.

    Method: Sun et al., How to Fine-Tune BERT for Text Classification? (2019), on layer-wise decreasing rates,
    https://arxiv.org/abs/1905.05583
    """
    # BEGIN SOLUTION: for each parameter that trains: its height gives the rate, its kind the decay.
    n_layers = len(model.bert.encoder.layer)
    norms = [module for module in model.modules() if isinstance(module, nn.LayerNorm)]
    in_norms = {id(parameter) for norm in norms for parameter in norm.parameters()}
    groups = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        path = name.split(".")
        steps_down = 0
        if path[:2] == ["bert", "embeddings"]:
            steps_down = n_layers + 1
        elif path[:3] == ["bert", "encoder", "layer"]:
            steps_down = n_layers - int(path[3])
        spared = path[-1] == "bias" or id(parameter) in in_norms
        rate, decay = lr * layer_decay**steps_down, 0.0 if spared else weight_decay
        group = groups.setdefault((rate, decay), {"params": [], "lr": rate, "weight_decay": decay})
        group["params"].append(parameter)
    return list(groups.values())
    # END SOLUTION
