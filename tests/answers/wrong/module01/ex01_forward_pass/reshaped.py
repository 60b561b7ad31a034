# names: weight-reshaped
# breaks: "the layout of `torch.nn.Linear`"
import torch


def forward(x, w1, b1, w2, b2):
    hidden = torch.relu(x @ w1.reshape(w1.size(1), w1.size(0)) + b1)
    return hidden @ w2.reshape(w2.size(1), w2.size(0)) + b2
