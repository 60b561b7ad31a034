# names: transposed-by-shape
# breaks: "the layout of `torch.nn.Linear`"
# Guesses from the shapes whether a weight has to be transposed, so square ones stay as they are.
import torch


def multiply(a, weight):
    return a @ weight if a.shape[-1] == weight.shape[0] else a @ weight.T


def forward(x, w1, b1, w2, b2):
    hidden = torch.relu(multiply(x, w1) + b1)
    return multiply(hidden, w2) + b2
