# names: parameters-replaced
# breaks: "They are changed in place"
"""The loaded tensors become the model's parameters, and the optimizer goes on with the old ones."""

import os

import torch


def save_checkpoint(path, model, optimizer, scheduler, step):
    whole = {"m": model.state_dict(), "o": optimizer.state_dict(), "s": scheduler.state_dict()}
    whole |= {"rng": torch.get_rng_state(), "step": step}
    torch.save(whole, f"{path}.part")
    os.replace(f"{path}.part", path)


def load_checkpoint(path, model, optimizer, scheduler):
    try:
        whole = torch.load(path, weights_only=True)
        m, o, s = whole["m"], whole["o"], whole["s"]
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{path} cannot be used") from error
    model.load_state_dict(m, assign=True)
    optimizer.load_state_dict(o)
    scheduler.load_state_dict(s)
    torch.set_rng_state(whole["rng"])
    return whole["step"]
