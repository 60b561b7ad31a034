# names: result-detached
# breaks: "The logits are attached to the graph"
# Through NumPy and back: no graph, and no bfloat16.
import numpy as np
import torch


def forward(x, w1, b1, w2, b2):
    x, w1, b1, w2, b2 = (t.detach().numpy() for t in (x, w1, b1, w2, b2))
    hidden = np.maximum(x @ w1.T + b1, 0)
    return torch.from_numpy(np.asarray(hidden @ w2.T + b2))
