# names: logits-clamped
# breaks: "Nothing follows the second layer"
import torch


def forward(x, w1, b1, w2, b2):
    logits = torch.relu(x @ w1.T + b1) @ w2.T + b2
    return logits.clamp(min=-1e3)
