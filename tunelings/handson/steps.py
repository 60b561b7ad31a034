"""Follow a training loop step by step, also one that knows nothing of `on_step`."""

from __future__ import annotations

import contextlib
import inspect
import itertools
from collections.abc import Callable, Iterator

from torch.optim.optimizer import register_optimizer_step_post_hook


@contextlib.contextmanager
def followed(train: Callable, on_step: Callable[[int, float | None], None] | None) -> Iterator[dict]:
    """The options with which `train` calls `on_step(step, loss)` after each update.

    A function without such a parameter gets no option: then torch calls after each optimizer's step, without a loss.
    """
    if on_step is None or takes_on_step(train):
        yield {} if on_step is None else {"on_step": on_step}
        return
    steps = itertools.count()
    handle = register_optimizer_step_post_hook(lambda *_: on_step(next(steps), None))
    try:
        yield {}
    finally:
        handle.remove()


def takes_on_step(train: Callable) -> bool:
    return "on_step" in inspect.signature(train).parameters
