# names: result-squeezed
# breaks: "with the leading dimensions of `x`"
import torch


def forward(x, w1, b1, w2, b2):
    hidden = torch.relu(x @ w1.t() + b1)
    return (hidden @ w2.t() + b2).squeeze()
