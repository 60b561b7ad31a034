"""Written in a temporary folder beside the target; every kind of file is looked at before torch reads it."""

import tempfile
import zipfile
from pathlib import Path

import torch


def save_checkpoint(path, model, optimizer, scheduler, step):
    target = Path(path)
    everything = dict(
        model_state_dict=model.state_dict(),
        optimizer_state_dict=optimizer.state_dict(),
        scheduler_state_dict=scheduler.state_dict(),
        torch_rng=torch.random.get_rng_state(),
        steps=torch.tensor(step),
    )
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        draft = Path(folder) / target.name
        torch.save(everything, draft)
        draft.replace(target)


def load_checkpoint(path, model, optimizer, scheduler):
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(f"no checkpoint at {source}")
    if not zipfile.is_zipfile(source):
        raise ValueError(f"{source} was not written by torch.save")
    try:
        found = torch.load(source, weights_only=True)
    except Exception as error:
        raise ValueError(f"{source} cannot be read safely") from error
    if not (isinstance(found, dict) and "torch_rng" in found and "steps" in found):
        raise ValueError(f"{source} holds something else than a checkpoint")
    scheduler.load_state_dict(found["scheduler_state_dict"])
    optimizer.load_state_dict(found["optimizer_state_dict"])
    model.load_state_dict(found["model_state_dict"])
    torch.random.set_rng_state(found["torch_rng"])
    return int(found["steps"])
