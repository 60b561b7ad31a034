# names: given-tensor-changed
# breaks: "None of the five is changed."
import torch


def forward(x, w1, b1, w2, b2):
    x.clamp_(-3, 3)
    hidden = torch.relu(x @ w1.t() + b1)
    return hidden @ w2.t() + b2
