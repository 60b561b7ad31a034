"""The threshold is a vector of zeros, made where torch makes it and moved to x."""

import torch


def forward(x, w1, b1, w2, b2):
    zeros = torch.zeros(w1.shape[0]).to(x.device, x.dtype)
    hidden = torch.maximum(torch.matmul(x, w1.mT) + b1, zeros)
    return torch.matmul(hidden, w2.mT) + b2
