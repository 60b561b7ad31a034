# names: frozen-left-out
# breaks: "all parameters, including frozen ones"
import torch


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
        if val_loss < self.best - self.min_delta:
            self.best = val_loss
            self.best_step = self._step
            self._state = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
            self._state |= {n: b.clone() for n, b in model.named_buffers()}
            self._count = 0
        else:
            self._count += 1
        self._step += 1
        return self._count >= self.patience

    def restore(self, model):
        if self._state is None:
            raise RuntimeError("no state")
        with torch.no_grad():
            model.load_state_dict(self._state, strict=False)
