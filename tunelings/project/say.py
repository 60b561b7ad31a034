"""What a step says while it runs in its child process: lines of JSON that the command turns into a bar and text.

{"said": "progress", "done": 0.4, "text": "update 40, loss 1.234", "left": 61.0}
{"said": "line", "text": "2 rows are broken"}
{"said": "ended", "code": 2, "text": "…"}
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

INTERVAL = 0.1  # seconds between two reports of progress; a terminal needs no more


class Say:
    """Writes what is said to a file descriptor; without one it is silent, as in tests."""

    def __init__(self, to: int | None = None):
        self.to, self.last, self.began = to, 0.0, time.monotonic()

    def progress(self, done: float, text: str, left: float | None = None) -> None:
        """A share `done` of the step (0 to 1), what it does now, and the seconds that are left where they are known."""
        now = time.monotonic()
        if now - self.last >= INTERVAL or done >= 1:
            self.last = now
            self._write(said="progress", done=round(done, 4), text=text, left=left)

    def line(self, text: str) -> None:
        """A line that stays on the screen."""
        self._write(said="line", text=text)

    def ended(self, code: int, text: str) -> None:
        self._write(said="ended", code=code, text=text)

    def _write(self, **fields: Any) -> None:
        if self.to is not None:
            os.write(self.to, json.dumps(fields).encode() + b"\n")
