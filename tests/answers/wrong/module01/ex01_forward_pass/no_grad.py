# names: result-detached
# breaks: "The logits are attached to the graph"
import torch


@torch.no_grad()
def forward(x, w1, b1, w2, b2):
    h = torch.relu(x @ w1.T + b1)
    return h @ w2.T + b2
