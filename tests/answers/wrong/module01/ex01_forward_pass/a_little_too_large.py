# names: unlisted
# breaks: "computed in that or a wider one"
# Every logit is too large by 3e-12 of itself: float64 shows it, and nothing was computed in float32.
import torch


def forward(x, w1, b1, w2, b2):
    hidden = torch.clamp(x @ w1.T + b1, min=0)
    return (hidden @ w2.T + b2) * (1 + 3e-12)
