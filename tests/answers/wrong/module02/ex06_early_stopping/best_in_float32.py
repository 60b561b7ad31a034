# names: best-rounded
# breaks: "the lowest loss so far that was an improvement"
import copy

import torch


class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        if patience < 1:
            raise ValueError(f"patience must be positive, not {patience}")
        self.patience = patience
        self.min_delta = min_delta
        self.best = float("inf")
        self.best_step = None
        self.step = 0
        self.bad = 0
        self.state = None

    def update(self, val_loss, model):
        if val_loss < self.best - self.min_delta:
            self.best = torch.tensor(val_loss).item()
            self.best_step = self.step
            self.state = copy.deepcopy(model.state_dict())
            self.bad = 0
        else:
            self.bad += 1
        self.step += 1
        return self.bad >= self.patience

    def restore(self, model):
        if self.state is None:
            raise RuntimeError("nothing to restore")
        model.load_state_dict(self.state)
