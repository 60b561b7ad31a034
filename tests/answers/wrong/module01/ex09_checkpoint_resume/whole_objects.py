# names: parameters-replaced
# breaks: "Nothing that the file contains is executed"
"""The objects themselves are pickled; their attributes are put into the ones given."""

import os

import torch


def save_checkpoint(path, model, optimizer, scheduler, step):
    torch.save((model, optimizer, scheduler, torch.get_rng_state(), step), f"{path}.tmp")
    os.replace(f"{path}.tmp", path)


def load_checkpoint(path, model, optimizer, scheduler):
    try:
        saved_model, saved_optimizer, saved_scheduler, rng, step = torch.load(path, weights_only=False)
    except FileNotFoundError:
        raise
    except Exception as e:
        raise ValueError(f"{path} is broken") from e
    model.__dict__.update(saved_model.__dict__)
    optimizer.load_state_dict(saved_optimizer.state_dict())
    scheduler.load_state_dict(saved_scheduler.state_dict())
    torch.set_rng_state(rng)
    return step
