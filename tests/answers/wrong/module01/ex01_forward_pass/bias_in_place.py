# names: given-tensor-changed
# breaks: "None of the five is changed."
# Adds into b1, one row at a time: the caller's bias is different afterwards.
import torch


def forward(x, w1, b1, w2, b2):
    rows = []
    for row in x.reshape(-1, x.shape[-1]):
        start = b1.clone()
        b1 += w1 @ row
        rows.append(w2 @ torch.relu(b1) + b2)
        b1.copy_(start)
    b1.relu_()
    return torch.stack(rows).reshape(*x.shape[:-1], -1)
