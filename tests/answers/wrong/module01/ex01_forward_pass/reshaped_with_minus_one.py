# names: size-of-no-rows-guessed
# breaks: "A leading dimension of size 0 is kept"
import torch


def forward(x, w1, b1, w2, b2):
    hidden = torch.relu(x.reshape(-1, w1.size(1)) @ w1.t() + b1)
    return (hidden @ w2.t() + b2).reshape(*x.shape[:-1], -1)
