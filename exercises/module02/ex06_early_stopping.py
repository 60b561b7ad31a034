"""2.06 · Early stopping: end training when the validation loss no longer falls, and keep the best weights.

The training loss goes on falling while the model gets worse on new data; only held-out data can tell when.
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

    Attributes, to be read at any time:
        best: the lowest loss so far that was an improvement (see `update`); `float("inf")` at first.
        best_step: the number of the update that brought it, counted from 0; None at first.

    Each EarlyStopping has a state of its own.

    Method: Prechelt, Early Stopping - But When? (1998), https://doi.org/10.1007/3-540-49430-8_3
    """

    def __init__(self, patience: int, min_delta: float = 0.0):
        """Take the settings; nothing has been seen yet.

        Args:
            patience: how many updates in a row without improvement end the training. Below 1: ValueError,
                whose message holds the value.
            min_delta: 0 or more; see `update`.
        """
        # TODO: refuse a patience below 1, keep the settings, and set up what `update` changes.
        raise NotImplementedError("TODO")

    def update(self, val_loss: float, model: nn.Module) -> bool:
        """Take the loss of one evaluation, and return whether to stop.

        It is an improvement if `val_loss < best - min_delta`. Then it becomes `best`, this update becomes
        `best_step`, and the values that the model has now are copied: all parameters, frozen ones too, and
        all buffers of its `state_dict()`. Nothing that happens to the model later reaches the copy.

        Returns True if this update and those just before it make at least `patience` updates in a row
        without improvement, otherwise False. After a True it goes on to return True until the next
        improvement, which makes the count start again.

        A loss of nan is never an improvement, and counts as an update without one. The same holds of inf.
        The model is not changed.
        """
        # TODO: on an improvement note it and copy the state, otherwise count; then compare.
        raise NotImplementedError("TODO")

    def restore(self, model: nn.Module) -> None:
        """Give the model the values of the best update.

        They are written, bit for bit, into the tensors that the model has: its parameters and buffers stay the
        same objects, so an optimizer that holds them goes on working. `model` is that of `update` or another of
        the same architecture. Modes and `requires_grad` stay as they are. The copy stays whole: training
        may go on, and `restore` may be called again.

        Raises RuntimeError if no update has been an improvement yet; the model is then not changed.
        """
        # TODO: load the copied state into the model, if there is one.
        raise NotImplementedError("TODO")
