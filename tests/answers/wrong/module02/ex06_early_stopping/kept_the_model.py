# names: reference-kept
# breaks: "Nothing that happens to the model later affects the copy"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        if patience < 1:
            raise ValueError(f"bad patience {patience}")
        self.patience = patience
        self.min_delta = min_delta
        self.counter = 0
        self.n = 0
        self.best = float("inf")
        self.best_step = None
        self.best_model = None

    def update(self, val_loss, model):
        if val_loss < self.best - self.min_delta:
            self.best, self.best_step = val_loss, self.n
            self.best_model = model
            self.counter = 0
        else:
            self.counter += 1
        self.n += 1
        return self.counter >= self.patience

    def restore(self, model):
        if self.best_model is None:
            raise RuntimeError("nothing yet")
        model.load_state_dict(self.best_model.state_dict())
