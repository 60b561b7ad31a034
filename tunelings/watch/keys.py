"""Single key presses from the terminal, in a thread, with the terminal's settings put back at the end."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator

_SEQUENCES = {"\x1b[A": "up", "\x1b[B": "down", "\x1bOA": "up", "\x1bOB": "down", "\x1b": "escape"}
_NAMES = {"\r": "enter", "\n": "enter", "\x03": "interrupt"}
_GONE = "\x03"  # A terminal that was closed reads like Ctrl-C.
_PATIENCE = 0.05  # seconds between looks at whether reading is still wanted


class Keys:
    """Calls `on_key` with "h", "up", "enter", … for each key while the `with` block runs."""

    def __init__(self, on_key: Callable[[str], None]):
        self.on_key = on_key
        self._stop = threading.Event()
        self._may_read = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Keys:
        self._settings = _enter_cbreak()
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join(timeout=1)
        _leave_cbreak(self._settings)

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """The terminal as it was, for another program (an editor) to use."""
        with self._may_read:
            _leave_cbreak(self._settings)
            try:
                yield
            finally:
                _enter_cbreak()

    def _run(self) -> None:
        while not self._stop.is_set():
            with self._may_read:
                text = _read(_PATIENCE)
            for key in _split(text):
                self.on_key(key)
            time.sleep(0)  # Let `suspended` have the lock.


def _split(text: str) -> list[str]:
    if text in _SEQUENCES:
        return [_SEQUENCES[text]]
    if text.startswith("\x1b"):
        return []
    return [_NAMES.get(character, character) for character in text]


if os.name == "nt":
    import msvcrt

    def _enter_cbreak():
        return None

    def _leave_cbreak(settings) -> None:
        pass

    def _read(seconds: float) -> str:
        end = time.monotonic() + seconds
        while not msvcrt.kbhit():
            if time.monotonic() > end:
                return ""
            time.sleep(0.01)
        character = msvcrt.getwch()
        if character in "\x00\xe0":
            return {"H": "\x1b[A", "P": "\x1b[B"}.get(msvcrt.getwch(), "")
        return character

else:
    import select
    import termios
    import tty

    def _enter_cbreak():
        settings = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        return settings

    def _leave_cbreak(settings) -> None:
        with contextlib.suppress(termios.error):  # The terminal was closed.
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)

    def _read(seconds: float) -> str:
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        if not ready:
            return ""
        try:
            pressed = os.read(sys.stdin.fileno(), 16).decode(errors="ignore")
        except OSError:
            return _GONE
        return pressed or _GONE
