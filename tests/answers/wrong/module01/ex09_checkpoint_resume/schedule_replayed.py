# names: scheduler-counter-only
# breaks: "any that have `state_dict()`"
"""The scheduler is not saved but stepped again as often as the run had steps."""

import os

import torch


def save_checkpoint(path, model, optimizer, scheduler, step):
    data = [model.state_dict(), optimizer.state_dict(), torch.get_rng_state(), step]
    torch.save(data, f"{path}.new")
    os.replace(f"{path}.new", path)


def load_checkpoint(path, model, optimizer, scheduler):
    if not os.path.exists(path):
        raise FileNotFoundError(path)
    try:
        weights, moments, rng, step = torch.load(path, weights_only=True)
        scheduler.last_epoch = step  # Its other state is taken for granted.
        optimizer.load_state_dict(moments)
    except Exception as e:
        raise ValueError(f"{path}: {e}") from e
    model.load_state_dict(weights)
    torch.set_rng_state(rng)
    return step
