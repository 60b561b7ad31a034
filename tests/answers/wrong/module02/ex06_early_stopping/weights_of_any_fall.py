# names: weights-and-best-apart
# breaks: "and the model's current values are copied"
# Losses 64 and then 60 with min_delta 12: `best` stays, but the weights of 60 are copied.

from torch import nn


class EarlyStopping:
    def __init__(self, patience: int, min_delta: float = 0.0):
        if patience < 1:
            raise ValueError(f"patience must be at least 1, got {patience}")
        self.patience = patience
        self.min_delta = min_delta
        self.best = float("inf")
        self.best_step = None
        self.best_state = None
        self.step = 0
        self.bad_updates = 0

    def update(self, val_loss: float, model: nn.Module) -> bool:
        if val_loss < self.best:
            self.best_state = {name: value.clone() for name, value in model.state_dict().items()}
        if val_loss < self.best - self.min_delta:
            self.best = val_loss
            self.best_step = self.step
            self.bad_updates = 0
        else:
            self.bad_updates += 1
        self.step += 1
        return self.bad_updates >= self.patience

    def restore(self, model: nn.Module) -> None:
        if self.best_state is None:
            raise RuntimeError("nothing to restore: no update has been an improvement yet")
        model.load_state_dict(self.best_state)
