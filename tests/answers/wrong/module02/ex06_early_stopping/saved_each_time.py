# names: last-weights-restored
# breaks: "and keeps a copy of the best weights"
import copy


class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        if patience <= 0:
            raise ValueError(patience)
        self.patience, self.min_delta = patience, min_delta
        self.best, self.best_step, self.step, self.wait, self.weights = float("inf"), None, 0, 0, None

    def update(self, val_loss, model):
        improved = val_loss < self.best - self.min_delta
        if improved:
            self.best = val_loss
            self.best_step = self.step
        self.wait = 0 if improved else self.wait + 1
        if self.best_step is not None:
            self.weights = copy.deepcopy(model.state_dict())
        self.step += 1
        return self.wait >= self.patience

    def restore(self, model):
        if self.weights is None:
            raise RuntimeError("no weights")
        model.load_state_dict(self.weights)
