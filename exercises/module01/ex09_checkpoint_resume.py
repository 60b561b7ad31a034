"""1.09 · Checkpoint and resume: a run that was stopped goes on as if nothing had happened.

Weights alone are a model, not a training run: moments, schedule, buffers, random state and step belong to it.
"""

import os
from pathlib import Path

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


def save_checkpoint(
    path: str | Path, model: nn.Module, optimizer: Optimizer, scheduler: LRScheduler, step: int
) -> None:
    """Write the whole state of a training run to the one file `path`, or leave that file as it is.

    The file holds all that `load_checkpoint` needs: the model's weights and buffers, the states of the
    optimizer and of the scheduler, the state of torch's global CPU random generator, and `step`.

    Args:
        path: a str or a Path; its folder exists. A file that stands there is replaced.
        model, optimizer, scheduler: any that have `state_dict()`. They, their modes and the random state
            are on return as they were on entry.
        step: how many steps have been made.

    An existing file is never written into. The new one is written under another name in the same folder
    and takes the name `path` in one step when it is whole (`os.replace`). Until then the last good
    checkpoint stands there and can be loaded. A save that fails half-way raises, and leaves it standing.

    Method: https://docs.pytorch.org/tutorials/recipes/recipes/saving_and_loading_a_general_checkpoint.html
    and https://docs.python.org/3/library/os.html#os.replace
    """
    # TODO: collect the five parts, write them to a temporary file, put it in the place of `path`.
    raise NotImplementedError("TODO")


def load_checkpoint(path: str | Path, model: nn.Module, optimizer: Optimizer, scheduler: LRScheduler) -> int:
    """Put a training run back into the state that `save_checkpoint` wrote, and return its step.

    Training that goes on from here equals training that was never interrupted, bit for bit: weights,
    buffers, moments, learning rates and the numbers that torch's global CPU generator draws next.

    Args:
        path: a str or a Path to a file of `save_checkpoint`; it may have been moved since.
        model, optimizer, scheduler: built as those that were saved, fresh or already trained. They are
            changed in place; train and eval modes stay as they are.

    Returns:
        The step that was saved, as an int.

    Raises:
        ValueError or FileNotFoundError: the file is missing, or is not a whole checkpoint of
            `save_checkpoint` (a text, an empty file, weights alone, one that was cut short). The message
            holds the file's name.

    Nothing that the file contains is executed, whoever wrote it: see `weights_only` in
    https://docs.pytorch.org/docs/stable/generated/torch.load.html
    """
    # TODO: read the file without executing anything, refuse a foreign one, restore the five parts.
    raise NotImplementedError("TODO")
