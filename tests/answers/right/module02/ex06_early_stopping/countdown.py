"""Counts down, writes into one set of preallocated copies, and takes nan apart by name."""

import math

import torch


def tensors(model):
    return [*model.parameters(), *model.buffers()]


class EarlyStopping:
    best_step = None
    best = math.inf

    def __init__(self, patience, min_delta=0.0):
        if patience < 1:
            raise ValueError("patience: " + str(patience))
        self.allowed = patience
        self.left = patience
        self.min_delta = min_delta
        self.updates = 0
        self.copies = None

    def update(self, val_loss, model):
        number, self.updates = self.updates, self.updates + 1
        if math.isnan(val_loss) or val_loss >= self.best - self.min_delta:
            self.left -= 1
        else:
            self.left = self.allowed
            self.best, self.best_step = val_loss, number
            if self.copies is None:
                self.copies = [torch.empty_like(t, requires_grad=False) for t in tensors(model)]
            with torch.no_grad():
                torch._foreach_copy_(self.copies, tensors(model))
        return 1 if self.left <= 0 else 0

    def restore(self, model):
        if self.copies is None:
            raise RuntimeError("restore before any improvement")
        for target, value in zip(tensors(model), self.copies, strict=True):
            target.data.copy_(value)
