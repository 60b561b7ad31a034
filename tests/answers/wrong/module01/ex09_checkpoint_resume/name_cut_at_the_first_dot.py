# names: name-cut-at-the-first-dot
# breaks: "under another name in the same folder"
import io
import os
from pathlib import Path

import torch


def save_checkpoint(path, model, optimizer, scheduler, step):
    path = Path(path)
    buffer = io.BytesIO()
    parts = (model.state_dict(), optimizer.state_dict(), scheduler.state_dict(), torch.get_rng_state(), step)
    torch.save(parts, buffer)
    name = str(path).split(".")[0] + ".part"
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(buffer.getvalue())
        os.replace(name, path)
    except BaseException:
        if os.path.exists(name):
            os.unlink(name)
        raise


def load_checkpoint(path, model, optimizer, scheduler):
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint {path.name}")
    try:
        weights, moments, schedule, random, step = torch.load(path, weights_only=True)
        model.load_state_dict(weights)
        optimizer.load_state_dict(moments)
        scheduler.load_state_dict(schedule)
        torch.set_rng_state(random)
    except Exception as error:
        raise ValueError(f"{path.name} is no checkpoint") from error
    return int(step)
