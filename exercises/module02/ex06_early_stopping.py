"""2.06 · Early stopping: stop training when the validation loss no longer falls, and keep the best weights.

The training loss keeps falling while the model gets worse on new data; only held-out data shows when.
"""

from torch import nn


class EarlyStopping:
    """Watches the validation loss, says when to stop, and keeps a copy of the best weights.

        stopper = EarlyStopping(patience=2)
        for epoch in range(100):
            train_one_epoch(model)
            if stopper.update(evaluate(model), model):
                break
        stopper.restore(model)

    Attributes, readable at any time:
        best: the lowest loss so far that was an improvement (see `update`); `float("inf")` at first.
        best_step: the number of the update that set it, counted from 0; None at first.

    Each EarlyStopping has its own state.

    Method: Prechelt, Early Stopping - But When? (1998), https://doi.org/10.1007/3-540-49430-8_3
    """

    def __init__(self, patience: int, min_delta: float = 0.0):
        """Take the settings; nothing has been seen yet.

        Args:
            patience: how many updates in a row without improvement end the training. Below 1: ValueError, whose
                message contains the value.
            min_delta: 0 or more; see `update`.
        """
        # TODO: refuse a patience below 1, keep the settings, and set up what `update` changes.
        raise NotImplementedError("TODO")

    def update(self, val_loss: float, model: nn.Module) -> bool:
        """Take the loss of one evaluation, and return whether to stop.

        The loss is an improvement if `val_loss < best - min_delta`. Then it becomes `best`, this update becomes
        `best_step`, and the model's current values are copied: all parameters, including frozen ones, and all
        buffers of its `state_dict()`. Nothing that happens to the model later affects the copy.

        Returns True if this update and those just before it make at least `patience` updates in a row without
        improvement, otherwise False. After a True, it keeps returning True until the next improvement, which
        restarts the count.

        A loss of nan is never an improvement, and counts as an update without one. The same is true of inf. The
        model is not changed.
        """
        # TODO: on an improvement note it and copy the state, otherwise count; then compare.
        raise NotImplementedError("TODO")

    def restore(self, model: nn.Module) -> None:
        """Give the model the values of the best update.

        The values are written, bit for bit, into the tensors that the model has: its parameters and buffers stay
        the same objects, so an optimizer that holds them keeps working. `model` is that of `update` or another of
        the same architecture. Modes and `requires_grad` do not change. The copy stays intact: training may
        continue, and `restore` may be called again.

        Raises RuntimeError if no update has been an improvement yet; the model is then not changed.
        """
        # TODO: load the copied state into the model, if there is one.
        raise NotImplementedError("TODO")
