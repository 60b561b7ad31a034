"""Single key presses from the terminal, in a thread, with the terminal's settings put back at the end."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping

_SEQUENCES = {"\x1b[A": "up", "\x1b[B": "down", "\x1bOA": "up", "\x1bOB": "down"}
_NAMES = {"\r": "enter", "\n": "enter", "\x03": "interrupt", "\x1b": "escape"}
_GONE = "\x03"  # A terminal that was closed reads like Ctrl-C.
# Seconds between looks at whether reading is still wanted; an Escape that nothing follows for so long is the key.
_PAUSE = 0.05

# Control sequences as terminals send them (ECMA-48, and what the Linux console and xterm add). None holds a control
# character, so Ctrl-C is never part of one.
_TOKEN = re.compile(
    r"""
      (?P<whole> \x1b (?: \[\[[A-E]                                 # F1 to F5 of the Linux console
                        | \[ [0-?]* [ -/]* [@-Z\\-~]                # arrows and the other keys of a sequence
                        | O [0-9;]* [@-~]                           # arrows in application mode, F1 to F4
                        | [\]P^_X] [^\x00-\x1f]* (?: \x07|\x1b\\ )  # a late reply to a program that ran before
                        | [^\x00-\x1f\[O\]P^_X] ) )                 # a letter with Alt
    | (?P<part>  \x1b (?: \[\[? [0-?]* [ -/]* | O [0-9;]* | [\]P^_X] [^\x00-\x1f]* (?: \x1b\Z )? )? )
    | (?P<character> . )
    """,
    re.VERBOSE | re.DOTALL,
)


class KeyDecoder:
    """Turns what the terminal sends into names of keys, however the reads cut it."""

    def __init__(self) -> None:
        self._rest = ""  # the beginning of a sequence, at the end of the last read

    def feed(self, text: str) -> list[str]:
        """The keys in what was read; with "" (nothing came in time), a lone Escape is the key of that name.

        Sequences that name no key we know are dropped whole, and so is one that breaks off.
        """
        final, text, self._rest = not text, self._rest + text, ""
        keys = []
        for token in _TOKEN.finditer(text):
            found = token[0]
            if token.lastgroup == "whole":
                keys += [_SEQUENCES[found]] if found in _SEQUENCES else []
            elif token.lastgroup == "character" or found == "\x1b" and (final or token.end() < len(text)):
                keys.append(_NAMES.get(found, found))
            elif token.end() == len(text) and not final:
                self._rest = found
        return keys


class Keys:
    """Calls `on_key` with "h", "up", "enter", … for each key while the `with` block runs.

    After Ctrl-Z and `fg` the key is "continued": another program has used the screen meanwhile.
    """

    def __init__(self, on_key: Callable[[str], None]):
        self.on_key = on_key
        self._stop = threading.Event()
        self._may_read = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._is_ours = False  # The terminal is not lent to an editor.
        self._was_stopped = False

    def __enter__(self) -> Keys:
        self._settings = _enter_cbreak()
        self._is_ours = True
        self._handlers = _on_stop(self._before_stop, self._after_stop)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join(timeout=1)
        _restore_handlers(self._handlers)
        _leave_cbreak(self._settings)

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """The terminal as it was, for another program (an editor) to use."""
        with self._may_read:
            self._is_ours = False
            _leave_cbreak(self._settings)
            try:
                yield
            finally:
                _enter_cbreak()
                self._is_ours = True

    def _before_stop(self) -> None:
        if self._is_ours:
            _leave_cbreak(self._settings)

    def _after_stop(self) -> None:
        self._was_stopped = True  # No more here: a signal's handler may run while any lock is held.

    def _run(self) -> None:
        decoder = KeyDecoder()
        while not self._stop.is_set():
            with self._may_read:
                if continued := self._was_stopped:
                    self._was_stopped = False
                    _enter_cbreak()
                text = _read(_PAUSE)
            for key in ["continued"] * continued + decoder.feed(text):
                self.on_key(key)
            time.sleep(0)  # Let `suspended` have the lock.


def _restore_handlers(handlers: Mapping) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler or signal.SIG_DFL)


if sys.platform == "win32":
    import msvcrt

    def _enter_cbreak():
        return None

    def _leave_cbreak(settings) -> None:
        pass

    def _on_stop(before: Callable[[], None], after: Callable[[], None]):
        return {}

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

    def _on_stop(before: Callable[[], None], after: Callable[[], None]):
        """Call `before` when Ctrl-Z stops this process and `after` when it goes on; returns the earlier handlers."""

        def stop(*_) -> None:
            before()
            os.kill(os.getpid(), signal.SIGSTOP)

        handlers = {signal.SIGTSTP: stop, signal.SIGCONT: lambda *_: after()}
        return {number: signal.signal(number, handler) for number, handler in handlers.items()}

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
