# names: another-activation
# breaks: "then a ReLU"
import torch


def forward(x, w1, b1, w2, b2):
    hidden = torch.softmax(x @ w1.T + b1, dim=-1)
    return hidden @ w2.T + b2
