# names: state-shared-by-instances
# breaks: "Each EarlyStopping has its own state"
class EarlyStopping:
    best = float("inf")
    best_step = None
    _state = {}
    _count = 0
    _step = 0

    def __init__(self, patience, min_delta=0.0):
        if patience < 1:
            raise ValueError(str(patience))
        self.patience = patience
        self.min_delta = min_delta

    def update(self, val_loss, model):
        if val_loss < self.best - self.min_delta:
            self.best = val_loss
            self.best_step = self._step
            for name, value in model.state_dict().items():
                self._state[name] = value.clone()
            self._count = 0
        else:
            self._count += 1
        self._step += 1
        return self._count >= self.patience

    def restore(self, model):
        if not self._state:
            raise RuntimeError("no state")
        model.load_state_dict(self._state)
