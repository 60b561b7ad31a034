# names: one-temporary-name
# breaks: "An existing file is never written into."
import os
from pathlib import Path

import torch


def save_checkpoint(path, model, optimizer, scheduler, step):
    path = str(path)
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "rng": torch.get_rng_state(),
        "step": step,
    }
    part = Path(path).with_name("checkpoint.part")
    torch.save(state, part)
    os.replace(part, path)


def load_checkpoint(path, model, optimizer, scheduler):
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path} is missing")
    try:
        state = torch.load(path, weights_only=True)
        weights, moments, schedule = state["model"], state["optimizer"], state["scheduler"]
        rng, step = state["rng"], state["step"]
    except Exception as error:
        raise ValueError(f"{path} is no checkpoint") from error
    model.load_state_dict(weights)
    optimizer.load_state_dict(moments)
    scheduler.load_state_dict(schedule)
    torch.set_rng_state(rng)
    return step
