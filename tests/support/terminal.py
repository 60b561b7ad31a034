"""`tunelings …` in a pseudo-terminal: the fixture `terminal`."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from tests.support.miniature import Miniature
from tests.support.processes import wait_for, watched_folders

COMMAND = "from tunelings.commands.cli import main; main()"


def default_interrupt() -> None:
    """A shell that starts its jobs in the background has them ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """`tunelings …` in a pseudo-terminal whose screen can be read."""

    def __init__(self, mini: Miniature | SimpleNamespace, *args: str, columns: int = 100, env: dict | None = None):
        import pexpect  # Here, since this file is loaded for every test.
        import pyte

        self.args = args
        self.nothing_new = (pexpect.TIMEOUT, pexpect.EOF)
        self.screen = pyte.Screen(columns, 30)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.process = pexpect.spawn(
            sys.executable,
            ["-c", COMMAND, *args],
            cwd=str(mini.root),
            dimensions=(30, columns),
            preexec_fn=default_interrupt,
            env={**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **(env or {})},
        )

    def read(self) -> str:
        try:
            data = self.process.read_nonblocking(65536, timeout=0.05)
        except self.nothing_new:
            return self.text
        self.raw += data
        self.stream.feed(data)
        return self.text

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def until(self, words: str | Callable[[str], bool], seconds: float = 180) -> str:
        """The screen once it holds `words`."""
        found = words if callable(words) else lambda text: words in text
        end = time.monotonic() + seconds
        while not found(self.read()):
            assert time.monotonic() < end, f"{words!r} did not come:\n{self.text}"
        return self.text

    def press(self, keys: str) -> None:
        self.process.send(keys)

    def warm_up(self) -> Terminal:
        """Wait for the first verdict, and until a save would be seen."""
        self.until("not started")
        if "--poll" in self.args or sys.platform != "linux":
            time.sleep(1)  # Nothing says from outside that it has looked around once.
        else:
            assert wait_for(lambda: watched_folders(self.process.pid))
        return self


@pytest.fixture
def terminal(mini: Miniature) -> Iterator[Callable[..., Terminal]]:
    if os.name == "nt":  # There pexpect can be imported, and has no `spawn`.
        pytest.skip("pseudo-terminals are for POSIX")
    opened: list[Terminal] = []

    def open_terminal(*args: str, **options) -> Terminal:
        opened.append(Terminal(mini, *args, **options))
        return opened[-1]

    yield open_terminal
    for one in opened:
        one.process.close(force=True)
