"""Keeps a whole copy of the model, and measures the wait from the number of the best update."""

import copy
import math

import torch


class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        if not patience > 0:
            raise ValueError(f"patience={patience} makes no sense")
        self.patience, self.min_delta = patience, min_delta
        self.best, self.best_step = math.inf, None
        self._seen = 0
        self._model = None

    def update(self, val_loss, model):
        now = self._seen
        self._seen += 1
        if self.best - val_loss > self.min_delta or (self._model is None and val_loss < math.inf):
            self.best, self.best_step, self._model = val_loss, now, copy.deepcopy(model)
            return False
        waited = now - (-1 if self.best_step is None else self.best_step)
        return waited >= self.patience

    @torch.no_grad()
    def restore(self, model):
        if self._model is None:
            raise RuntimeError("no best model so far")
        for mine, theirs in zip(self._model.parameters(), model.parameters(), strict=True):
            theirs.copy_(mine)
        for mine, theirs in zip(self._model.buffers(), model.buffers(), strict=True):
            theirs.copy_(mine)
