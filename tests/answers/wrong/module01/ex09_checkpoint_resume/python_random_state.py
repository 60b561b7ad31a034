# names: rng-not-restored
# breaks: "the state of torch's global CPU random generator"
"""Python's random state is kept, torch's is not."""

import random
from pathlib import Path

import torch


def save_checkpoint(path, model, optimizer, scheduler, step):
    path = Path(path)
    tmp = path.parent / f".{path.name}"
    torch.save(
        {
            "net": model.state_dict(),
            "opt": optimizer.state_dict(),
            "sched": scheduler.state_dict(),
            "random": random.getstate(),
            "at": step,
        },
        tmp,
    )
    tmp.replace(path)


def load_checkpoint(path, model, optimizer, scheduler):
    try:
        ckpt = torch.load(path, weights_only=True)
        net, opt, sched = ckpt["net"], ckpt["opt"], ckpt["sched"]
    except FileNotFoundError:
        raise
    except Exception as exc:
        raise ValueError(f"{path} is no checkpoint") from exc
    model.load_state_dict(net)
    optimizer.load_state_dict(opt)
    scheduler.load_state_dict(sched)
    random.setstate(ckpt["random"])
    return ckpt["at"]
