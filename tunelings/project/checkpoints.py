"""What a training leaves on disk while it runs, and how it goes on from it: 1.09's file, the best weights, curves."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch.optim.lr_scheduler import LambdaLR

from tunelings.project import folder as files
from tunelings.project import sharded
from tunelings.project.folder import CURVES
from tunelings.project.updates import Run

CHECKPOINT = "checkpoint.pt"


def record(run: Run, row: dict[str, Any]) -> None:
    if run.accelerator.is_main_process:
        files.append_line(run.work / CURVES, row)


def save(run: Run, optimizer: Any, scheduler: LambdaLR, measured: dict[str, Any], *, is_best: bool) -> None:
    """Write what was measured, the checkpoint and, if they are the best so far, the weights."""
    weights, moments = sharded.whole(run.trainable, optimizer)
    if run.accelerator.is_main_process:
        step = measured["step"]
        best = run.work / f"best-{step}.safetensors"
        if is_best:
            save_file({name: p.detach().cpu().contiguous() for name, p in weights.items()}, f"{best}.tmp")
            Path(f"{best}.tmp").replace(best)
        record(run, measured)
        with run.parts.using("1.09") as part:
            part.save_checkpoint(run.work / CHECKPOINT, weights, moments, scheduler, step)
        if is_best:  # Only now does no checkpoint need the older ones.
            for old in run.work.glob("best-*.safetensors"):
                if old != best:
                    old.unlink()
    run.accelerator.wait_for_everyone()


def resume(run: Run, optimizer: Any, scheduler: LambdaLR, stopper: Any) -> tuple[int, bool]:
    """Put the run back to its last checkpoint, if there is one; returns its update, and whether it had stopped."""
    path, curves = run.work / CHECKPOINT, list(files.lines(run.work / CURVES))
    step = 0
    if path.exists():
        losses = [(row["val_loss"], row["step"]) for row in curves if "val_loss" in row]
        step = load_checkpoint(run, optimizer, scheduler)
        losses = [(loss, at) for loss, at in losses if at <= step]
        replay(run, stopper, losses)
        load_checkpoint(run, optimizer, scheduler)
    kept = [row for row in curves if row["step"] <= step]
    if run.accelerator.is_main_process:
        files.write_lines(run.work / CURVES, kept)
    run.accelerator.wait_for_everyone()
    return step, bool(kept and kept[-1].get("stops"))


def load_checkpoint(run: Run, optimizer: Any, scheduler: LambdaLR) -> int:
    weights, moments = sharded.whole(run.trainable, optimizer)
    with run.parts.using("1.09") as part:
        step = int(part.load_checkpoint(run.work / CHECKPOINT, weights, moments, scheduler))
    sharded.put(weights, moments, run.trainable, optimizer)
    return step


def replay(run: Run, stopper: Any, losses: list[tuple[float, int]]) -> None:
    """Show 2.06 again what it had seen, with the best weights in place, so that it keeps those."""
    best = min((row for row in losses if math.isfinite(row[0])), default=None, key=lambda row: row[0])
    if best is not None:
        saved = load_file(run.work / f"best-{best[1]}.safetensors")
        for name, parameter in run.trainable.items():
            sharded.copy_into(parameter, saved[name])
    with run.parts.using("2.06"):
        for loss, _ in losses:
            stopper.update(loss, run.trainable)


def remove(work: Path) -> None:
    """All of it, once the trained model stands."""
    for left in [work / CHECKPOINT, *work.glob("best-*.safetensors")]:
        left.unlink(missing_ok=True)
