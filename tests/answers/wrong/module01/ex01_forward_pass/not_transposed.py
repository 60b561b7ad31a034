# names: weight-not-transposed
# breaks: "the layout of `torch.nn.Linear`"
import torch


def forward(x, w1, b1, w2, b2):
    z1 = torch.matmul(x, w1) + b1
    a1 = torch.relu(z1)
    z2 = torch.matmul(a1, w2) + b2
    return z2
