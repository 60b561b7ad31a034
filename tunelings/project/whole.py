"""A training that is 3.12's as a whole, as the settings may ask: its data, its batches, its updates, its adapter.

It keeps no checkpoints: a run that was killed begins again, and by 3.12's promise comes to the same losses.
"""

from __future__ import annotations

import math
import shutil
import time
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from tunelings.handson import precision
from tunelings.project import base, examples, sharded
from tunelings.project import folder as files
from tunelings.project.config import Config
from tunelings.project.errors import ProjectError
from tunelings.project.examples import Reader
from tunelings.project.folder import CURVES, LEARNED
from tunelings.project.kept import load
from tunelings.project.memory import Setting
from tunelings.project.parts import Parts
from tunelings.project.prepared import trainable_of
from tunelings.project.say import Say
from tunelings.project.updates import VALIDATION, Run, validation_loss


def train_whole(
    config: Config, data: Path, work: Path, path: Path, parts: Parts, say: Say, setting: Setting
) -> dict[str, Any]:
    """Train by 3.12, and leave its adapter in `work`/model; returns the numbers of the run.

    Raises:
        ProjectError: a conversation isn't one question and one answer, which is all that 3.12 knows.
    """
    accelerator = Accelerator(cpu=base.device() == "cpu")
    sharded.check(accelerator, config.train.processes, setting.technique)
    rows, held = load(data, "train"), load(data, "validation")[:VALIDATION]
    pairs, where = pairs_of(rows), str(accelerator.device)
    say.progress(0.0, "loading the model")
    tokenizer = base.tokenizer_of(path, is_chat=True)
    model = base.load_causal(path, dtype=precision.model_dtype(where, trains=True)).to(where)
    steps = updates(config, len(pairs), setting.batch_size)
    record = Record(work / CURVES, steps, config.train.lr, say, writes=accelerator.is_main_process)
    if accelerator.is_main_process:
        shutil.rmtree(work / LEARNED, ignore_errors=True)
    accelerator.wait_for_everyone()
    with parts.using("3.12") as part:
        dataset = part.build_dataset(pairs, tokenizer, config.data.max_length)
        asked = part.Config(config.train.r, config.train.lora_alpha, config.train.lr, steps, setting.batch_size,
                            work / LEARNED, config.train.seed)  # fmt: skip
        trained = part.train_lora(model, tokenizer, dataset, asked, on_step=record)
    trainable = trainable_of(trained.model)
    kind = examples.answers(config, tokenizer, parts)
    run = Run(config, work, parts, accelerator, kind, trained.model, Reader(trained.model), [], kind.examples(held),
              setting.batch_size, 1, trainable)  # fmt: skip
    loss = validation_loss(run)
    if accelerator.is_main_process:
        files.append_line(work / CURVES, {"step": steps, "val_loss": loss})
        tokenizer.save_pretrained(work / LEARNED)
    accelerator.wait_for_everyone()
    return {"steps": steps, "of_steps": steps, "stopped_early": False, "best_val_loss": loss, "lr": config.train.lr,
            "seconds": record.seconds, "trained": sum(p.numel() for p in trainable.values()), "labels": [],
            **setting._asdict(), "accumulation": 1,
            "smaller": setting.batch_size != config.train.batch_size}  # fmt: skip


def pairs_of(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    for row in rows:
        if [turn["role"] for turn in row["messages"]] != ["user", "assistant"]:
            raise ProjectError(
                f"Row {row['id']} isn't one question and one answer, which is all that 3.12 knows: set "
                'train.pipeline = "steps".'
            )
    return [(row["messages"][0]["content"], row["messages"][1]["content"]) for row in rows]


def updates(config: Config, count: int, batch: int) -> int:
    per_epoch = math.ceil(count / (batch * config.train.processes))
    return min(config.train.max_steps, config.train.epochs * per_epoch)


class Record:
    """What 3.12 calls after each update: the curve as it comes, and the bar."""

    def __init__(self, path: Path, steps: int, lr: float, say: Say, *, writes: bool):
        self.path, self.steps, self.lr, self.say, self.writes = path, steps, lr, say, writes
        self.seconds, self.before = 0.0, time.monotonic()
        if writes:
            path.unlink(missing_ok=True)

    def __call__(self, step: int, loss: float) -> None:
        now = time.monotonic()
        took, self.before = now - self.before, now
        self.seconds += took
        if self.writes:
            files.append_line(self.path, {"step": step + 1, "loss": loss, "lr": self.lr, "seconds": took})
        left = self.seconds / (step + 1) * (self.steps - step - 1)
        self.say.progress((step + 1) / self.steps, f"update {step + 1} of {self.steps}, loss {loss:.3f}", left)
