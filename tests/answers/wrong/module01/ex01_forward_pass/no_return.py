# names: nothing-returned
# breaks: "Return the logits"
import torch


def forward(x, w1, b1, w2, b2):
    hidden = torch.relu(x @ w1.T + b1)
    logits = hidden @ w2.T + b2  # noqa: F841
