# names: residual-added
# breaks: "Each row of `x` (its last dimension) goes through"
# The residual habit: x is added to the hidden layer where the shapes allow it.
import torch


def forward(x, w1, b1, w2, b2):
    hidden = torch.relu(x @ w1.T + b1)
    if hidden.shape == x.shape:
        hidden = hidden + x
    return hidden @ w2.T + b2
