# names: zeros-of-the-default-kind
# breaks: "on its device, such as a GPU"
import torch


def forward(x, w1, b1, w2, b2):
    pre = torch.nn.functional.linear(x, w1, b1)
    zeros = torch.zeros(pre.shape, dtype=pre.dtype)
    return torch.nn.functional.linear(torch.max(pre, zeros), w2, b2)
