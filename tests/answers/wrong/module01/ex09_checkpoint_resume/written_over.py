# names: copied-in-place
# breaks: "An existing file is never written into."
"""Made ready beside it, then written over the old file."""

import os

import torch


def save_checkpoint(path, model, optimizer, scheduler, step):
    torch.save([x.state_dict() for x in (model, optimizer, scheduler)] + [torch.get_rng_state(), step], f"{path}.tmp")
    with open(f"{path}.tmp", "rb") as source, open(path, "wb") as target:
        target.write(source.read())
    os.remove(f"{path}.tmp")


def load_checkpoint(path, model, optimizer, scheduler):
    try:
        *states, rng, step = torch.load(path, weights_only=True)
        for x, state in zip((model, optimizer, scheduler), states, strict=True):
            x.load_state_dict(state)
        torch.set_rng_state(rng)
    except FileNotFoundError:
        raise
    except Exception as e:
        raise ValueError(f"cannot load {path}") from e
    return step
