# names: weights-in-less-precision
# breaks: "Training that continues from here equals"
"""Weights are stored as float32 "because that is enough"."""

import os

import torch


def save_checkpoint(path, model, optimizer, scheduler, step):
    weights = {k: v.float() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    torch.save((weights, optimizer.state_dict(), scheduler.state_dict(), torch.get_rng_state(), step), f"{path}.t")
    os.replace(f"{path}.t", path)


def load_checkpoint(path, model, optimizer, scheduler):
    try:
        weights, a, b, rng, step = torch.load(path, weights_only=True)
        optimizer.load_state_dict(a)
        scheduler.load_state_dict(b)
    except FileNotFoundError:
        raise
    except Exception as e:
        raise ValueError(f"{path}: {e}") from e
    model.load_state_dict(weights)
    torch.set_rng_state(rng)
    return step
