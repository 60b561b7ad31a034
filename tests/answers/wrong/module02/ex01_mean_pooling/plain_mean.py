# names: mask-ignored
import torch


def mean_pool(hidden, attention_mask):
    return torch.mean(hidden.double(), 1).type_as(hidden)
