# names: steps-counted-from-1
# breaks: "the number of the update that set it, counted from 0"
import copy


class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        if patience < 1:
            raise ValueError(str(patience))
        self.patience = patience
        self.min_delta = min_delta
        self.best = float("inf")
        self.best_step = None
        self.epoch = 0
        self.copy = None

    def update(self, val_loss, model):
        self.epoch += 1
        if val_loss < self.best - self.min_delta:
            self.best, self.best_step, self.copy = val_loss, self.epoch, copy.deepcopy(model)
        return self.epoch - (self.best_step or 0) >= self.patience

    def restore(self, model):
        if self.copy is None:
            raise RuntimeError("no copy")
        model.load_state_dict(self.copy.state_dict())
