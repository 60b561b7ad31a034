# names: result-in-float32
# breaks: "in its dtype"
import torch


def forward(x, w1, b1, w2, b2):
    hidden = torch.relu(x @ w1.t() + b1)
    return (hidden @ w2.t() + b2).to(torch.float32)
