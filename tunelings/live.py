"""Progress of a check that takes seconds: the check says how far it is, and who wants to know listens."""

from __future__ import annotations

import time
from collections.abc import Callable

Listener = Callable[[float, str], None]
listener: Listener | None = None  # Set by the worker of the watch loop; pytest shows nothing.
INTERVAL = 0.1  # seconds; a terminal needs no more
_last = 0.0


def progress(done: float, text: str) -> None:
    """Say that a share `done` (0 to 1) of this check's work is behind us, with a partial result."""
    global _last
    now = time.monotonic()
    if listener is not None and (now - _last >= INTERVAL or done >= 1):
        _last = now
        listener(done, text)
