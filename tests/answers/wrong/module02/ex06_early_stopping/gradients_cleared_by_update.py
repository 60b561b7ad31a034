# names: gradients-cleared-by-update
# breaks: "The model is not changed."


class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        if patience < 1:
            raise ValueError(f"patience has to be at least 1, not {patience}")
        self.patience = patience
        self.min_delta = min_delta
        self.best = float("inf")
        self.best_step = None
        self._step = -1
        self._waited = 0
        self._state = None

    def update(self, val_loss, model):
        model.zero_grad()
        self._step += 1
        if val_loss < self.best - self.min_delta:
            self.best = val_loss
            self.best_step = self._step
            self._state = {name: value.detach().clone() for name, value in model.state_dict().items()}
            self._waited = 0
        else:
            self._waited += 1
        return self._waited >= self.patience

    def restore(self, model):
        if self._state is None:
            raise RuntimeError("no update has been an improvement yet")
        model.load_state_dict(self._state)
