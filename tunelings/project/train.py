"""Train on the learner's examples with the learner's parts, so that a kill at any moment costs seconds and no result.

1.07 makes the updates, 2.05 sets the learning rate, 2.06 stops in time and keeps the best weights, and 1.09 writes the
checkpoints. A run that goes on from a checkpoint is the run that was never interrupted.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, PartialState
from accelerate.state import AcceleratorState
from accelerate.utils import broadcast_object_list
from torch.optim.lr_scheduler import LambdaLR

from tunelings.handson.precision import has_bfloat16
from tunelings.project import base, checkpoints, disk, memory, sharded
from tunelings.project import folder as files
from tunelings.project import technique as techniques
from tunelings.project.config import Config
from tunelings.project.errors import ProjectError
from tunelings.project.examples import Reader
from tunelings.project.folder import CURVES, LEARNED
from tunelings.project.kept import load
from tunelings.project.parts import Parts
from tunelings.project.prepared import prepared, trainable_of
from tunelings.project.say import Say
from tunelings.project.updates import VALIDATION, Run, share_of, update, validation_loss
from tunelings.project.whole import train_whole


def train(config: Config, data: Path, work: Path, model_path: Path, parts: Parts, say: Say) -> dict[str, Any]:
    """Train, and leave the adapter (or the whole model) in `work`/model; returns the numbers of the run.

    Where memory runs out, the next smaller setting is tried, once, and said aloud.

    Raises:
        ProjectError: memory runs out again, or the disk is full.
    """
    is_first = PartialState(cpu=base.device() == "cpu").is_main_process
    setting = memory.first_setting(config, work, model_path, parts, say) if is_first else None
    setting = broadcast_object_list([setting])[0]
    run = train_whole if config.train.pipeline == "whole" else _train
    while True:
        try:
            return run(config, data, work, model_path, parts, say, setting)
        except Exception as error:
            if not memory.is_out_of_memory(error):
                disk.raise_if_full(error, work)
                raise
        parts.now = None
        before, setting = setting, memory.next_smaller(config, setting, work, model_path, say)
        if setting.technique != before.technique:
            (work / checkpoints.CHECKPOINT).unlink(missing_ok=True)
        if PartialState().num_processes > 1:  # The others are still in the update.
            raise ProjectError(f"Memory runs out with {before}: run it again, and it continues with {setting}.")
        AcceleratorState._reset_state()  # It would refuse another precision.


def _train(
    config: Config, data: Path, work: Path, path: Path, parts: Parts, say: Say, setting: memory.Setting
) -> dict[str, Any]:
    technique: Any = setting.technique
    # Never fp16, which needs a scaled loss: 1.07 has no scaler.
    mixed = "bf16" if technique == "full" and has_bfloat16() else "no"
    accelerator = Accelerator(cpu=base.device() == "cpu", mixed_precision=mixed)
    sharded.check(accelerator, config.train.processes, technique)
    if technique == "qlora" and accelerator.device.type == "cpu":
        # bitsandbytes packs the weights for inference alone when they are first read in eval mode, and says no word.
        raise ProjectError('technique = "qlora" needs a GPU: on a CPU, lora trains the same adapters.')
    torch.manual_seed(config.train.seed)
    rows, held = load(data, "train"), load(data, "validation")[:VALIDATION]
    names = sorted({row["label"] for row in rows})
    say.progress(0.0, "loading the model")
    where = str(accelerator.device)
    model: Any  # By its class, save_pretrained could be a tensor.
    model, tokenizer, kind = prepared(config, path, technique, names, parts, where)
    run = Run(config, work, parts, accelerator, kind, model, Reader(model), kind.examples(rows), kind.examples(held),
              setting.batch_size, setting.accumulation)  # fmt: skip
    run.trainable = trainable_of(model)
    disk.check_room(work, run.trainable.values())
    rate = config.train.lr if technique == config.train.technique else techniques.LEARNING_RATES[technique]
    optimizer = spread(run, torch.optim.AdamW(run.trainable.parameters(), lr=rate))
    scheduler = LambdaLR(optimizer, share_of(run))
    result = loop(run, optimizer, scheduler, say)
    sharded.save_pretrained(accelerator, model, work / LEARNED)
    if accelerator.is_main_process:
        tokenizer.save_pretrained(work / LEARNED)
        checkpoints.remove(work)
    accelerator.wait_for_everyone()
    asked = (config.train.technique, config.train.batch_size, config.train.accumulation)
    numbers = {"trained": sum(p.numel() for p in run.trainable.values()), "labels": names if names != [""] else []}
    return result | numbers | setting._asdict() | {"lr": rate, "smaller": setting[:3] != asked}


def spread(run: Run, optimizer: Any) -> Any:
    """Over the processes by accelerate: a copy of the model each or, by FSDP, a part of it each."""
    accelerator = run.accelerator
    if accelerator.is_fsdp2:
        _, prepared_ = accelerator.prepare(run.model, optimizer)
        run.trainable = trainable_of(run.model)
        return prepared_.optimizer
    if accelerator.num_processes > 1 or accelerator.mixed_precision != "no":
        run.reader = accelerator.prepare(run.reader)
    return optimizer


def loop(run: Run, optimizer: Any, scheduler: LambdaLR, say: Say) -> dict[str, Any]:
    """Make the updates that are left, and end with the best weights."""
    settings = run.config.train
    with run.parts.using("2.06") as part:
        stopper = part.EarlyStopping(settings.patience)
    step, stops = checkpoints.resume(run, optimizer, scheduler, stopper)
    if step:
        say.line(f"Training resumes after update {step} of {run.steps}.")
    began, first = time.monotonic(), step
    run.model.train()
    while step < run.steps and not stops:
        loss, seconds = update(run, optimizer, scheduler, step)
        step += 1
        checkpoints.record(run, {"step": step, "loss": loss, "lr": scheduler.get_last_lr()[0], "seconds": seconds})
        left = (time.monotonic() - began) / (step - first) * (run.steps - step)
        say.progress(step / run.steps, f"update {step} of {run.steps}, loss {loss:.3f}", left)
        if step % settings.evaluate_every == 0 or step == run.steps:
            stops = evaluated(run, optimizer, scheduler, stopper, step, say)
    with run.parts.using("2.06"):
        if stopper.best_step is not None:
            stopper.restore(run.trainable)
    curves = list(files.lines(run.work / CURVES))
    losses = [row["val_loss"] for row in curves if "val_loss" in row]
    return {
        "steps": step,
        "of_steps": run.steps,
        "stopped_early": step < run.steps,
        "best_val_loss": min(losses, default=None),
        "seconds": sum(row.get("seconds", 0.0) for row in curves),
    }


def evaluated(run: Run, optimizer: Any, scheduler: LambdaLR, stopper: Any, step: int, say: Say) -> bool:
    """Measure, let 2.06 decide, and write a checkpoint; returns whether to stop."""
    say.progress(step / run.steps, f"update {step} of {run.steps}, measuring")
    loss = broadcast_object_list([validation_loss(run)])[0]
    with run.parts.using("2.06"):
        before = stopper.best_step
        stops = bool(stopper.update(loss, run.trainable))
        is_best = stopper.best_step != before
    measured = {"step": step, "val_loss": loss, "stops": stops}
    checkpoints.save(run, optimizer, scheduler, measured, is_best=is_best)
    return stops
