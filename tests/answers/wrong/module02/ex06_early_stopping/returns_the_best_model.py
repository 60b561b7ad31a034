# names: model-not-written-to
# breaks: "Give the model the values of the best update"
import copy


class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        if patience < 1:
            raise ValueError(str(patience))
        self.patience = patience
        self.min_delta = min_delta
        self.best = float("inf")
        self.best_step = None
        self.bad = self.n = 0
        self.model = None

    def update(self, val_loss, model):
        if val_loss < self.best - self.min_delta:
            self.best, self.best_step, self.model, self.bad = val_loss, self.n, copy.deepcopy(model), 0
        else:
            self.bad += 1
        self.n += 1
        return self.bad >= self.patience

    def restore(self, model):
        if self.model is None:
            raise RuntimeError("no model")
        model = copy.deepcopy(self.model)
        return model
