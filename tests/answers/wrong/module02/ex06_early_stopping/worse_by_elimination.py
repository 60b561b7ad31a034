# names: nan-taken-for-best
# breaks: "A loss of nan is never an improvement"
import copy


class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        if patience < 1:
            raise ValueError(str(patience))
        self.patience = patience
        self.min_delta = min_delta
        self.best = float("inf")
        self.best_step = None
        self._count = 0
        self._step = 0
        self._state = None

    def update(self, val_loss, model):
        if val_loss >= self.best - self.min_delta:
            self._count += 1
        else:
            self.best = val_loss
            self.best_step = self._step
            self._state = copy.deepcopy(model.state_dict())
            self._count = 0
        self._step += 1
        return self._count >= self.patience

    def restore(self, model):
        if self._state is None:
            raise RuntimeError("no state")
        model.load_state_dict(self._state)
