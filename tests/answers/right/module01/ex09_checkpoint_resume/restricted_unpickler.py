"""Pickle without its danger: only plain values are stored, and an unpickler that finds no class at all reads them."""

import os
import pickle

import torch


class PlainUnpickler(pickle.Unpickler):
    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed")


def to_plain(value):
    if torch.is_tensor(value):
        data = value.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes()
        return ("<tensor>", str(value.dtype).removeprefix("torch."), tuple(value.shape), data)
    if isinstance(value, dict):
        return {key: to_plain(inner) for key, inner in value.items()}
    return [to_plain(inner) for inner in value] if isinstance(value, list) else value


def from_plain(value):
    if isinstance(value, tuple) and value[:1] == ("<tensor>",):
        _, dtype, shape, data = value
        return torch.frombuffer(bytearray(data), dtype=getattr(torch, dtype)).clone().reshape(shape)
    if isinstance(value, dict):
        return {key: from_plain(inner) for key, inner in value.items()}
    return [from_plain(inner) for inner in value] if isinstance(value, list) else value


def save_checkpoint(path, model, optimizer, scheduler, step):
    parts = [model.state_dict(), optimizer.state_dict(), scheduler.state_dict(), torch.get_rng_state(), step]
    fresh = os.fspath(path) + "~"
    with open(fresh, "wb") as file:
        pickle.dump(["checkpoint", *map(to_plain, parts)], file)
    os.rename(fresh, path) if os.name == "posix" else os.replace(fresh, path)


def load_checkpoint(path, model, optimizer, scheduler):
    with open(path, "rb") as file:
        try:
            word, *parts = PlainUnpickler(file).load()
            weights, moments, schedule, generator, step = map(from_plain, parts)
            assert word == "checkpoint"
        except Exception:
            raise ValueError(f"not a checkpoint: {path}") from None
    torch.set_rng_state(generator)
    scheduler.load_state_dict(schedule)
    optimizer.load_state_dict(moments)
    with torch.no_grad():
        model.load_state_dict(weights)
    return step
