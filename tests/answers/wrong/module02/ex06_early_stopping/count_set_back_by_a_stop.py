# names: stop-said-once
# breaks: "it keeps returning True until the next improvement"
# Sets the count back after it said stop.
from torch import nn


class EarlyStopping:
    def __init__(self, patience: int, min_delta: float = 0.0):
        if patience < 1:
            raise ValueError(f"patience must be at least 1, not {patience}")
        self.patience = patience
        self.min_delta = min_delta
        self.best = float("inf")
        self.best_step = None
        self._seen = 0
        self._bad = 0
        self._state = None

    def update(self, val_loss: float, model: nn.Module) -> bool:
        improved = val_loss < self.best - self.min_delta
        if improved:
            self.best = val_loss
            self.best_step = self._seen
            self._state = {name: value.detach().clone() for name, value in model.state_dict().items()}
            self._bad = 0
        else:
            self._bad += 1
        self._seen += 1
        if self._bad >= self.patience:
            self._bad = 0
            return True
        return False

    def restore(self, model: nn.Module) -> None:
        if self._state is None:
            raise RuntimeError("no update has been an improvement yet")
        model.load_state_dict(self._state)
