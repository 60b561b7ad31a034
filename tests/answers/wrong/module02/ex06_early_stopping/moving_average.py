# names: unlisted
# breaks: "make at least `patience` updates in a row without improvement"
import copy


class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        if patience < 1:
            raise ValueError(str(patience))
        self.patience = patience
        self.min_delta = min_delta
        self.losses = []
        self.best = float("inf")
        self.best_step = None
        self.state = None

    def update(self, val_loss, model):
        self.losses.append(val_loss)
        if val_loss < self.best - self.min_delta:
            self.best, self.best_step = val_loss, len(self.losses) - 1
            self.state = copy.deepcopy(model.state_dict())
        recent = self.losses[-self.patience :]
        return len(self.losses) > self.patience and sum(recent) / self.patience > self.best + self.min_delta

    def restore(self, model):
        if self.state is None:
            raise RuntimeError("no state")
        model.load_state_dict(self.state)
