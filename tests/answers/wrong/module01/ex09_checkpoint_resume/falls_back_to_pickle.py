# names: loaded-with-pickle
# breaks: "Nothing that the file contains is executed"
"""Safe loading first; where that is refused, the unsafe way after all."""

import os
import pickle

import torch


def save_checkpoint(path, model, optimizer, scheduler, step):
    state = {}
    state["m"], state["o"], state["s"] = model.state_dict(), optimizer.state_dict(), scheduler.state_dict()
    state["r"], state["n"] = torch.get_rng_state(), step
    part = str(path) + ".part"
    torch.save(state, part)
    os.replace(part, path)


def load_checkpoint(path, model, optimizer, scheduler):
    try:
        try:
            state = torch.load(path)
        except pickle.UnpicklingError:
            state = torch.load(path, weights_only=False)
        m, o, s, r, n = (state[k] for k in "mosrn")
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"bad checkpoint {path}") from error
    model.load_state_dict(m)
    optimizer.load_state_dict(o)
    scheduler.load_state_dict(s)
    torch.set_rng_state(r)
    return n
