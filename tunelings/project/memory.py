"""The memory of a training: told before it begins, and answered once by a smaller setting where it runs out anyway."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

import torch

from tunelings.project import base
from tunelings.project import folder as files
from tunelings.project import technique as techniques
from tunelings.project.config import Config
from tunelings.project.errors import ProjectError
from tunelings.project.parts import Parts
from tunelings.project.say import Say

SETTING = "setting.json"  # A run that goes on keeps its setting, however much memory is free by then.


class Setting(NamedTuple):
    """What a training runs with; `was_caught`: memory has run out once, and this is the answer."""

    technique: str
    batch_size: int
    accumulation: int
    was_caught: bool = False

    def __str__(self) -> str:
        return f"{self.technique} at batch {self.batch_size}"


def first_setting(config: Config, work: Path, model_path: Path, parts: Parts, say: Say) -> Setting:
    """The setting of the run that was interrupted, or one that should fit; says in a line what it takes."""
    if kept := files.read_text(work / SETTING):
        return Setting(*json.loads(kept))
    shape, machine = base.shape_of(model_path), techniques.examine()
    free = techniques.free_gib(machine) / (1 if machine.gpus else config.train.processes)
    shards = config.train.processes if os.environ.get("ACCELERATE_USE_FSDP") == "true" else 1

    def needs(setting: Setting) -> float:
        technique, batch, length = setting.technique, setting.batch_size, config.data.max_length
        return techniques.needed(shape, technique, batch, length, parts, on_gpu=bool(machine.gpus)) / shards

    ways = techniques.ways(config.train, shape, machine)
    asked = setting = Setting(config.train.technique, config.train.batch_size, config.train.accumulation)
    while needs(setting) > free and (following := techniques.smaller(*setting[:3], ways)):
        setting = Setting(*following)
    takes = f"Training takes about {techniques.gib(needs(setting))} of {techniques.gib(free)} of free memory"
    if setting != asked:
        takes = f"{asked} would take about {techniques.gib(needs(asked))}. {takes}".capitalize()
    too_much = needs(setting) > free
    say.line(f"{takes}: {setting}." + (" It may run out: take a smaller model or max_length." if too_much else ""))
    return keep(work, setting)


def next_smaller(config: Config, now: Setting, work: Path, model_path: Path, say: Say) -> Setting:
    """The setting to continue with.

    Raises:
        ProjectError: it was caught before, or nothing smaller is left.
    """
    ways = techniques.ways(config.train, base.shape_of(model_path), techniques.examine())
    following = techniques.smaller(*now[:3], ways)
    if now.was_caught or following is None:
        raise ProjectError(f"Memory runs out with {now}: take a smaller model or max_length.")
    smaller = keep(work, Setting(*following, was_caught=True))
    say.line(f"Memory runs out with {now}: continuing with {smaller}.")
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return smaller


def keep(work: Path, setting: Setting) -> Setting:
    files.write(work / SETTING, json.dumps(setting))
    return setting


def is_out_of_memory(error: BaseException) -> bool:
    says = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and ("not enough memory" in says or "can't allocate memory" in says)
    )
