# names: negative-loss-ignored
# breaks: "The loss is an improvement if `val_loss < best - min_delta`"
import copy
import math


class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        if patience < 1:
            raise ValueError(f"patience must be at least 1, not {patience}")
        self.patience, self.min_delta = patience, min_delta
        self.best, self.best_step = math.inf, None
        self._seen = self._bad = 0
        self._state = None

    def update(self, val_loss, model):
        step = self._seen
        self._seen += 1
        if 0 <= val_loss < self.best - self.min_delta:
            self.best, self.best_step, self._bad = val_loss, step, 0
            self._state = copy.deepcopy(model.state_dict())
        else:
            self._bad += 1
        return self._bad >= self.patience

    def restore(self, model):
        if self._state is None:
            raise RuntimeError("no best weights yet")
        model.load_state_dict(self._state)
