# names: activation-on-logits
# breaks: "Nothing follows the second layer"
import torch


def forward(x, w1, b1, w2, b2):
    out = x
    for weight, bias in ((w1, b1), (w2, b2)):
        out = torch.einsum("...i,oi->...o", out, weight) + bias
        out = out.clamp(min=0)
    return out
