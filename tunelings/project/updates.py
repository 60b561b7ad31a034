"""One update of a training: which examples it takes, its loss by 1.07, its learning rate by 2.05, and what it is worth.

The order of the examples follows from the seed and the update's number alone, so a run that goes on from a checkpoint
takes those that it would have taken.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

from tunelings.project.config import Config
from tunelings.project.examples import Example, Kind
from tunelings.project.kept import batched
from tunelings.project.parts import Parts

VALIDATION = 200  # rows at most that each evaluation looks at


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


def share_of(run: Run) -> Any:
    """The share of the learning rate at an update, by 2.05; from 1, so that the first update is not lost at 0."""
    settings, total = run.config.train, run.steps + 1
    warmup = int(settings.warmup * run.steps)
    part = run.parts["2.05"]
    if settings.schedule == "cosine":
        return lambda step: part.cosine_with_floor(min(step + 1, total), warmup, total, 0.1)
    return lambda step: part.warmup_then_linear(min(step + 1, total), warmup, total)


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
