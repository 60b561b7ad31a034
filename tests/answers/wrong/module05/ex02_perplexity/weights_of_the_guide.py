# names: later-windows-weigh-one-less
# breaks: "exp(total / (T - 1)) as a Python float"
# As in the guide of transformers, each window weighs one token less than it has labels.

import contextlib
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@contextlib.contextmanager
def _reading(model):
    flags = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, flag in flags:
            module.training = flag


def perplexity(model: nn.Module, input_ids: Tensor, stride: int, context: int) -> float:
    if not 1 <= stride < context:
        raise ValueError(f"stride {stride} must be at least 1 and less than context {context}")
    ids = input_ids.reshape(-1)
    length = len(ids)
    if length < 2:
        raise ValueError("the text needs two tokens")

    nll_sum, n_tokens, prev_end = 0.0, 0, 0
    with _reading(model):
        for begin in range(0, length, stride):
            end = min(begin + context, length)
            trg_len = end - prev_end
            window = ids[begin:end].unsqueeze(0)
            target = window.clone()
            target[:, :-trg_len] = -100
            logits = model(window).logits.float()
            loss = F.cross_entropy(logits[0, :-1], target[0, 1:])
            num_valid_tokens = (target != -100).sum().item()
            num_loss_tokens = num_valid_tokens - target.size(0)
            nll_sum += loss.item() * num_loss_tokens
            n_tokens += num_loss_tokens
            prev_end = end
            if end == length:
                break
    return math.exp(nll_sum / n_tokens)
