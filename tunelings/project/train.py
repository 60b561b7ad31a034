"""Train on the learner's examples with the learner's parts, so that a kill at any moment costs seconds and no result.

1.07 makes the updates, 2.05 sets the learning rate, 2.06 stops in time and keeps the best weights, and 1.09 writes the
checkpoints. The order of the examples follows from the seed and the update's number alone, so a run that goes on from
a checkpoint is the run that was never interrupted.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, PartialState
from accelerate.state import AcceleratorState
from accelerate.utils import broadcast_object_list
from safetensors.torch import load_file, save_file
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

from tunelings.handson.precision import has_bfloat16
from tunelings.project import base, disk, memory, sharded
from tunelings.project import folder as files
from tunelings.project import technique as techniques
from tunelings.project.config import Config
from tunelings.project.errors import ProjectError
from tunelings.project.examples import Example, Kind, Reader
from tunelings.project.kept import batched, load
from tunelings.project.parts import Parts
from tunelings.project.prepared import prepared, trainable_of
from tunelings.project.say import Say

CURVES = "curves.jsonl"
CHECKPOINT = "checkpoint.pt"
VALIDATION = 200  # rows at most that each evaluation looks at
LEARNED = "model"  # the folder of the adapter, or of the whole model


@dataclass
class Run:
    """What one training holds."""

    config: Config
    work: Path
    parts: Parts
    accelerator: Accelerator
    kind: Kind
    model: Any  # the model of transformers or peft, an nn.Module
    reader: nn.Module  # what 1.07 calls; around it DistributedDataParallel, if there are several processes
    train: list[Example]
    validation: list[Example]
    batch_size: int
    accumulation: int
    trainable: nn.ParameterDict = field(default_factory=nn.ParameterDict)

    @property
    def at_once(self) -> int:
        """Examples of one update, of all processes together."""
        return self.batch_size * self.accumulation * self.accelerator.num_processes

    @property
    def steps(self) -> int:
        per_epoch = math.ceil(len(self.train) / self.at_once)
        return min(self.config.train.max_steps, self.config.train.epochs * per_epoch)


def train(config: Config, data: Path, work: Path, model_path: Path, parts: Parts, say: Say) -> dict[str, Any]:
    """Train, and leave the adapter (or the whole model) in `work`/model; returns the numbers of the run.

    Where memory runs out, the next smaller setting is tried, once, and said aloud.

    Raises:
        ProjectError: memory runs out again, or the disk is full.
    """
    is_first = PartialState(cpu=base.device() == "cpu").is_main_process
    setting = memory.first_setting(config, work, model_path, parts, say) if is_first else None
    setting = broadcast_object_list([setting])[0]
    while True:
        try:
            return _train(config, data, work, model_path, parts, say, setting)
        except Exception as error:
            if not memory.is_out_of_memory(error):
                disk.raise_if_full(error, work)
                raise
        parts.now = None
        before, setting = setting, memory.next_smaller(config, setting, work, model_path, say)
        if setting.technique != before.technique:
            (work / CHECKPOINT).unlink(missing_ok=True)
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
        for left in [work / CHECKPOINT, *work.glob("best-*.safetensors")]:
            left.unlink(missing_ok=True)
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


def share_of(run: Run) -> Any:
    """The share of the learning rate at an update, by 2.05; from 1, so that the first update is not lost at 0."""
    settings, total = run.config.train, run.steps + 1
    warmup = int(settings.warmup * run.steps)
    part = run.parts["2.05"]
    if settings.schedule == "cosine":
        return lambda step: part.cosine_with_floor(min(step + 1, total), warmup, total, 0.1)
    return lambda step: part.warmup_then_linear(min(step + 1, total), warmup, total)


# ---------------------------------------------------------------- the loop
def loop(run: Run, optimizer: Any, scheduler: LambdaLR, say: Say) -> dict[str, Any]:
    """Make the updates that are left, and end with the best weights."""
    settings = run.config.train
    with run.parts.using("2.06") as part:
        stopper = part.EarlyStopping(settings.patience)
    step, stops = resume(run, optimizer, scheduler, stopper)
    if step:
        say.line(f"Training resumes after update {step} of {run.steps}.")
    began, first = time.monotonic(), step
    run.model.train()
    while step < run.steps and not stops:
        loss, seconds = update(run, optimizer, scheduler, step)
        step += 1
        record(run, {"step": step, "loss": loss, "lr": scheduler.get_last_lr()[0], "seconds": seconds})
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


def update(run: Run, optimizer: Any, scheduler: LambdaLR, step: int) -> tuple[float, float]:
    """One update by 1.07; returns its loss (a mean over tokens, or texts) and its seconds."""
    began = time.monotonic()
    world, device = run.accelerator.num_processes, run.accelerator.device

    def loss_fn(outputs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, int]:
        total, count = run.kind.loss(outputs, targets)
        if world == 1:
            return total, count
        # Gradients are averaged over the processes, and then divided by what all of them have counted.
        counts = run.accelerator.reduce(torch.tensor(count, device=device), "sum")
        return total * world, int(counts)

    with run.parts.using("1.07") as part:
        group: Any = [tuple(tensor.to(device) for tensor in run.kind.batch(chosen)) for chosen in chosen_for(run, step)]
        losses = part.train_epoch(run.reader, DataLoader(group, batch_size=None), loss_fn, optimizer, run.accumulation)
        loss = float(losses[0]) if losses else math.nan
    scheduler.step()
    if world > 1:
        loss = float(run.accelerator.reduce(torch.tensor(loss, device=device), "mean"))
    return loss, time.monotonic() - began


def chosen_for(run: Run, step: int) -> Iterator[list[Example]]:
    """This process's micro-batches of an update, in the order that the seed gives the pass."""
    per_epoch = math.ceil(len(run.train) / run.at_once)
    epoch, place = divmod(step, per_epoch)
    generator = torch.Generator().manual_seed(1_000_003 * run.config.train.seed + epoch)
    order = torch.randperm(len(run.train), generator=generator).tolist()
    world = run.accelerator.num_processes
    if world > 1:  # Every process makes as many backward passes: the last update takes some examples again.
        order = (order * (1 + run.at_once // len(order)) + order)[: per_epoch * run.at_once]
    mine = order[place * run.at_once : (place + 1) * run.at_once]
    for number, micro in enumerate(batched(mine, run.batch_size)):
        if number % world == run.accelerator.process_index:
            yield [run.train[i] for i in micro]


def evaluated(run: Run, optimizer: Any, scheduler: LambdaLR, stopper: Any, step: int, say: Say) -> bool:
    """Measure, let 2.06 decide, and write a checkpoint; returns whether to stop."""
    say.progress(step / run.steps, f"update {step} of {run.steps}, measuring")
    loss = broadcast_object_list([validation_loss(run)])[0]
    with run.parts.using("2.06"):
        before = stopper.best_step
        stops = bool(stopper.update(loss, run.trainable))
        is_best = stopper.best_step != before
    weights, moments = sharded.whole(run.trainable, optimizer)
    if run.accelerator.is_main_process:
        best = run.work / f"best-{step}.safetensors"
        if is_best:
            save_file({name: p.detach().cpu().contiguous() for name, p in weights.items()}, f"{best}.tmp")
            Path(f"{best}.tmp").replace(best)
        record(run, {"step": step, "val_loss": loss, "stops": stops})
        with run.parts.using("1.09") as part:
            part.save_checkpoint(run.work / CHECKPOINT, weights, moments, scheduler, step)
        if is_best:  # Only now does no checkpoint need the older ones.
            for old in run.work.glob("best-*.safetensors"):
                if old != best:
                    old.unlink()
    run.accelerator.wait_for_everyone()
    return stops


def validation_loss(run: Run) -> float:
    """The mean loss of the validation part, in eval mode."""
    run.model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for chosen in batched(run.validation, run.batch_size):
            inputs, targets = (tensor.to(run.accelerator.device) for tensor in run.kind.batch(chosen))
            with run.accelerator.autocast():
                loss, counted = run.kind.loss(run.reader(inputs), targets)
            total, count = total + loss.item(), count + counted
    run.model.train()
    return total / max(1, count)


def record(run: Run, row: dict[str, Any]) -> None:
    if run.accelerator.is_main_process:
        files.append_line(run.work / CURVES, row)


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
