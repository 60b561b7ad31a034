"""One row at a time, one matrix-vector product at a time."""

import torch


def forward(x, w1, b1, w2, b2):
    rows = []
    for row in x.reshape(-1, x.shape[-1]):
        hidden = (w1 @ row + b1).clamp(min=0)
        rows.append(w2 @ hidden + b2)
    shape = (*x.shape[:-1], w2.shape[0])
    return torch.stack(rows).reshape(shape) if rows else x.new_zeros(shape)
