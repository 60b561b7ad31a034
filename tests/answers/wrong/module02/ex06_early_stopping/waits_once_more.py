# names: one-update-too-late
# breaks: "Take the loss of one evaluation, and return whether to stop"
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        if patience < 1:
            raise ValueError(f"patience={patience}")
        self.patience = patience
        self.min_delta = min_delta
        self.best = float("inf")
        self.best_step = None
        self.t = -1
        self.wait = 0
        self.weights = {}

    def update(self, val_loss, model):
        self.t += 1
        if val_loss < self.best - self.min_delta:
            self.best = val_loss
            self.best_step = self.t
            self.weights = {k: v.detach().clone() for k, v in model.state_dict().items()}
            self.wait = 0
            return False
        if self.wait >= self.patience:
            return True
        self.wait += 1
        return False

    def restore(self, model):
        if not self.weights:
            raise RuntimeError("empty")
        model.load_state_dict(self.weights)
