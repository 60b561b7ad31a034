# names: product-of-matrices-only
# breaks: "with any number of leading dimensions"
# addmm takes matrices only, so any x that is not [N, n_in] stops it.
import torch


def forward(x, w1, b1, w2, b2):
    hidden = torch.addmm(b1, x, w1.T).relu()
    return torch.addmm(b2, hidden, w2.T)
