"""Serialised in memory, written to a temporary file with a random name, flushed to the disk, then put in place."""

import io
import os
import tempfile

import torch

FORMAT = "course-checkpoint-1"


def save_checkpoint(path, model, optimizer, scheduler, step):
    buffer = io.BytesIO()
    states = tuple(part.state_dict() for part in (model, optimizer, scheduler))
    torch.save((FORMAT, states, torch.default_generator.get_state(), step), buffer)
    folder = os.path.dirname(os.path.abspath(path))
    handle, name = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def load_checkpoint(path, model, optimizer, scheduler):
    with open(path, "rb") as file:
        content = io.BytesIO(file.read())
    try:
        kind, states, generator_state, step = torch.load(content, map_location="cpu", weights_only=True)
        if kind != FORMAT:
            raise ValueError("another format")
        for part, state in zip((model, optimizer, scheduler), states, strict=True):
            part.load_state_dict(state)
    except Exception as problem:
        raise ValueError(f"cannot resume from {os.fspath(path)}: {problem}") from problem
    torch.default_generator.set_state(generator_state)
    return step
