# names: ids-in-int32
# breaks: "`model(ids)` with int64 ids"
# A model that looks at the dtype of its ids.
import contextlib
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@contextlib.contextmanager
def reading(model):
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes.items():
            module.training = training


def perplexity(model: nn.Module, input_ids: Tensor, stride: int, context: int) -> float:
    ids = input_ids.flatten()
    length = len(ids)
    if length < 2:
        raise ValueError(f"a text of {length} tokens has nothing to predict")
    if not 1 <= stride < context:
        raise ValueError(f"stride={stride} must be at least 1 and less than context={context}")
    total, start, scored = 0.0, 0, 1  # The first token has nothing before it.
    with reading(model):
        while scored < length:
            window = ids[start : start + context]
            logits = model(window.unsqueeze(0).int()).logits.squeeze(0).float()
            old = scored - start  # So many tokens of this window are scored already.
            total += F.cross_entropy(logits[old - 1 : -1], window[old:], reduction="sum").item()
            scored = start + len(window)
            start += stride
    return math.exp(total / (length - 1))
