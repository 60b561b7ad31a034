"""A list of losses, one for each token, by logsumexp; the window of a token is found by arithmetic."""

from contextlib import contextmanager
from math import exp, fsum

import torch


@contextmanager
def evaluating(model):
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module in training:
            module.training = True


def perplexity(model, input_ids, stride, context):
    tokens = input_ids.reshape(-1).tolist()
    if len(tokens) < 2:
        raise ValueError("a text has at least two tokens")
    if not (1 <= stride and stride < context):
        raise ValueError(f"stride {stride}, context {context}")
    surprises = []
    with evaluating(model):
        window = -1
        for position in range(1, len(tokens)):
            # The first window whose end lies behind this position.
            needed = max(0, -(-(position + 1 - context) // stride))
            if needed != window:
                window = needed
                first = window * stride
                piece = input_ids.reshape(1, -1)[:, first : first + context]
                scores = model(input_ids=piece).logits.squeeze(0)
            row = scores[position - 1 - first].float()
            surprises.append((row.logsumexp(0) - row[tokens[position]]).item())
    return exp(fsum(surprises) / len(surprises))
