"""A text file: JSON in which each tensor stands as dtype, shape and bytes. No pickle anywhere."""

import base64
import json
from pathlib import Path

import torch


def _pack(value):
    if isinstance(value, torch.Tensor):
        raw = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        text = base64.b64encode(bytes(raw.tolist())).decode()
        return {"tensor": [str(value.dtype).split(".")[1], list(value.shape), text]}
    if isinstance(value, dict):
        return {"dict": [[key, _pack(part)] for key, part in value.items()]}
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [_pack(part) for part in value]}
    return value


def _unpack(value):
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        dtype, shape, text = content
        raw = torch.tensor(list(base64.b64decode(text)), dtype=torch.uint8)
        return raw.view(getattr(torch, dtype)).reshape(shape)
    if kind == "dict":
        return {key: _unpack(part) for key, part in content}
    return [_unpack(part) for part in content] if kind == "list" else tuple(map(_unpack, content))


def save_checkpoint(path, model, optimizer, scheduler, step):
    record = {
        "format": "checkpoint",
        "weights": _pack(model.state_dict()),
        "optimizer": _pack(optimizer.state_dict()),
        "schedule": _pack(scheduler.state_dict()),
        "random": _pack(torch.get_rng_state()),
        "step": int(step),
    }
    text = json.dumps(record)
    part = Path(f"{path}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def load_checkpoint(path, model, optimizer, scheduler):
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        if record["format"] != "checkpoint":
            raise ValueError(record["format"])
    except FileNotFoundError:
        raise ValueError(f"there is no checkpoint {path}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is not one of our checkpoints") from error
    model.load_state_dict(_unpack(record["weights"]))
    optimizer.load_state_dict(_unpack(record["optimizer"]))
    scheduler.load_state_dict(_unpack(record["schedule"]))
    torch.set_rng_state(_unpack(record["random"]))
    return record["step"]
