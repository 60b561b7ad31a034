# TODO(new): a right answer, written in another way.
import torch


def SCAFFOLD_NAME(x):
    return torch.stack([number * 2 for number in x.flatten()]).reshape(x.shape)
