# names: no-activation
# breaks: "then a ReLU"
import torch.nn.functional as F


def forward(x, w1, b1, w2, b2):
    out = F.linear(x, w1, b1)
    out = F.linear(out, w2, b2)
    return out
