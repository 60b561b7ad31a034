"""A running mean under inference_mode; flags restored in a finally block."""

from types import SimpleNamespace

import torch


def evaluate(model, loader, loss_fn):
    was_training = [(m, m.training) for m in model.modules()]
    loss = accuracy = 0.0
    seen = 0
    model.train(False)
    try:
        with torch.inference_mode():
            for x, y in loader:
                n = y.shape[0]
                seen += n
                scores = model(x)
                loss += (loss_fn(scores, y).item() - loss) * n / seen
                right = sum(int(row.argmax()) == int(t) for row, t in zip(scores, y, strict=True))
                accuracy += (right / n - accuracy) * n / seen
    finally:
        for m, flag in was_training:
            m.training = flag
    if seen:
        return SimpleNamespace(loss=loss, accuracy=accuracy)
    raise ValueError("nothing in loader")
