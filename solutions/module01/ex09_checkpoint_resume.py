"""1.09 · Checkpoint and resume: continue a stopped run as if nothing had happened.

Weights alone make a model; a training run also has moments, a schedule, buffers, a random state and a step.
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
    """Write the whole state of a training run to the single file `path`, or leave that file unchanged.

    The file holds everything that `load_checkpoint` needs: the model's weights and buffers, the states of the
    optimizer and of the scheduler, the state of torch's global CPU random generator, and `step`.

    Args:
        path: a str or a Path; its folder exists. An existing file is replaced.
        model, optimizer, scheduler: any that have `state_dict()`. On return, they, their modes and the random state
            are what they were on entry.
        step: how many steps have been made.

    An existing file is never written into. The new one is written under another name in the same folder, and when
    it is complete it takes the name `path` in one step (`os.replace`). Until then, the last good checkpoint stays
    there and can be loaded. A save that fails halfway raises, and leaves that checkpoint in place.

    Method: https://docs.pytorch.org/tutorials/recipes/recipes/saving_and_loading_a_general_checkpoint.html
    and https://docs.python.org/3/library/os.html#os.replace
    """
    # BEGIN SOLUTION: collect the five parts, write them to a temporary file, rename it to `path`.
    path = Path(path)
    checkpoint = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "rng": torch.get_rng_state(),
        "step": step,
    }
    temporary = path.with_name(path.name + ".tmp")
    torch.save(checkpoint, temporary)
    os.replace(temporary, path)
    # END SOLUTION


def load_checkpoint(path: str | Path, model: nn.Module, optimizer: Optimizer, scheduler: LRScheduler) -> int:
    """Restore the state of a training run that `save_checkpoint` wrote, and return its step.

    Training that continues from here equals uninterrupted training, bit for bit: weights, buffers, moments,
    learning rates and the numbers that torch's global CPU generator draws next.

    Args:
        path: a str or a Path to a file that `save_checkpoint` wrote; it may have been moved since.
        model, optimizer, scheduler: built like those that were saved, fresh or already trained. They are changed in
            place; train and eval modes stay as they are.

    Returns:
        The step that was saved, as an int.

    Raises:
        ValueError or FileNotFoundError: the file is missing, or is not a complete checkpoint of `save_checkpoint`
            (a text, an empty file, weights alone, a file that was cut short). The message contains the file's name.

    Nothing that the file contains is executed, whoever wrote it: see `weights_only` in
    https://docs.pytorch.org/docs/stable/generated/torch.load.html
    """
    # BEGIN SOLUTION: read the file without executing anything, refuse a foreign one, restore the five parts.
    try:
        checkpoint = torch.load(path, weights_only=True)
        missing = {"model", "optimizer", "scheduler", "rng", "step"} - checkpoint.keys()
    except FileNotFoundError:
        raise
    except Exception as error:  # Each kind of foreign file fails in torch.load in its own way.
        raise ValueError(f"{path} is not a checkpoint") from error
    if missing:
        raise ValueError(f"{path} is not a whole checkpoint: it has no {', '.join(sorted(missing))}")
    model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    scheduler.load_state_dict(checkpoint["scheduler"])
    torch.set_rng_state(checkpoint["rng"])
    return checkpoint["step"]
    # END SOLUTION
