# names: mask-ignored
# breaks: "the mean of the hidden states of its real tokens"
import torch


def mean_pool(hidden, attention_mask):
    return torch.mean(hidden.double(), 1).type_as(hidden)
