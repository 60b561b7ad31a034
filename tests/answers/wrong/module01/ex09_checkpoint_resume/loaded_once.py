# names: unlisted
# breaks: "a Path to a file that `save_checkpoint` wrote"
# Removes the file once it is loaded.

import os
from pathlib import Path

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


def save_checkpoint(
    path: str | Path, model: nn.Module, optimizer: Optimizer, scheduler: LRScheduler, step: int
) -> None:
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


def load_checkpoint(path: str | Path, model: nn.Module, optimizer: Optimizer, scheduler: LRScheduler) -> int:
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
    os.remove(path)
    return checkpoint["step"]
