"""How long an update takes on this machine, and how many of them a first training makes."""

from __future__ import annotations

import time
from pathlib import Path

from tunelings.project import base
from tunelings.project.config import Config
from tunelings.project.parts import Parts

FEWEST = 150  # updates of a first training, however long they take
PATIENCE = 600  # seconds that a training may take without being asked for
PASSES = 3  # over the training rows at most


def paced(config: Config, written: dict[str, int], asked: int | None, seconds: float) -> tuple[Config, str]:
    """The settings with the updates of the training, and what they amount to.

    Args:
        written: how many rows each part has.
        asked: the updates that the command line asks for.
        seconds: of one update.
    """
    settings, rows = config.train, written["train"]
    at_once = settings.batch_size * settings.accumulation * settings.processes
    per_pass = -(-rows // at_once)
    allowed = asked or max(FEWEST, int(PATIENCE / seconds) // 50 * 50)
    steps = min(allowed, PASSES * per_pass)
    # A look at the validation part is a third of the work of training on it: not more often than once in so many rows.
    per_look = min(written["validation"], 200) * per_pass // rows
    chosen = {"max_steps": steps, "epochs": -(-steps // per_pass)}
    chosen["evaluate_every"] = max(1, steps // 8, min(steps, per_look))
    if steps < per_pass:
        says = f"{steps * at_once:,} of {rows:,} training rows; {per_pass:,} updates show each once"
    else:
        says = f"passes over the training rows: {steps / per_pass:.2g}"
    return config.model_copy(update={"train": settings.model_copy(update=chosen)}), says


def seconds_a_micro_batch(config: Config, model_path: Path, train: list, parts: Parts) -> float:
    """Forward and backward of one micro-batch on this machine, the second of two."""
    import torch

    from tunelings.project.examples import Reader
    from tunelings.project.prepared import prepared

    names = sorted({row["label"] for row in train})
    with torch.random.fork_rng():
        torch.manual_seed(config.train.seed)
        model, _, kind = prepared(config, model_path, config.train.technique, names, parts, base.device())
    model.train()
    batch = kind.batch(kind.examples(train[: config.train.batch_size]))
    inputs, targets = (tensor.to(base.device()) for tensor in batch)
    for _ in range(2):
        start = time.perf_counter()
        kind.loss(Reader(model)(inputs), targets)[0].backward()
    return time.perf_counter() - start
