# names: hidden-detached
# breaks: "gradients reach each of the five tensors"
import torch


def forward(x, w1, b1, w2, b2):
    hidden = torch.relu(x @ w1.t() + b1)
    return hidden.data @ w2.t() + b2
