"""A dataclass that keeps the whole history and decides by looking back over it."""

import io
from dataclasses import dataclass, field

import torch


@dataclass
class EarlyStopping:
    patience: int
    min_delta: float = 0.0
    best: float = float("inf")
    best_step: int | None = None
    _improved: list = field(default_factory=list)
    _file: bytes = b""

    def __post_init__(self):
        if self.patience <= 0:
            raise ValueError(f"patience should be 1 or more and is {self.patience}")

    def update(self, val_loss, model):
        improved = bool(val_loss + self.min_delta < self.best)
        if improved:
            buffer = io.BytesIO()
            torch.save(model.state_dict(), buffer)
            self.best, self.best_step, self._file = float(val_loss), len(self._improved), buffer.getvalue()
        self._improved.append(improved)
        last = self._improved[-self.patience :]
        return len(last) == self.patience and not any(last)

    def restore(self, model):
        if not self._file:
            raise RuntimeError("there is nothing to restore yet")
        model.load_state_dict(torch.load(io.BytesIO(self._file), weights_only=True))
