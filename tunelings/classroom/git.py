"""Git, on repositories that strangers have filled: it has so long, fetches so much, says so much, and asks nobody."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import IO

from tunelings.classroom.handed_in import Refused
from tunelings.course import CourseError
from tunelings.grading import processes

PATIENCE = 120.0  # seconds by the clock for one command
FETCHED = 200_000_000  # bytes that a repository may have, fetched at depth 1
SAID = 16_000_000  # bytes of output; the list of the files of 100,000 has about 10 MB
_PERIOD = 0.1  # seconds between two looks at them
# No question at the terminal or in a window, no protocol that runs commands, no configuration of the machine's. The
# user's own is kept: that is where the passwords of a class's private repositories come from.
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS_REQUIRE": "never",
    "GCM_INTERACTIVE": "never",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "LC_ALL": "C",
}
_SETTINGS = {
    "core.hooksPath": os.devnull,
    "protocol.ext.allow": "never",
    "fetch.unpackLimit": "1",  # One pack, whose size can be watched while it grows.
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.lowSpeedLimit": "1000",  # bytes per second
    "http.lowSpeedTime": "30",  # seconds
}
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=30"


class TooMuch(Refused):
    """Git was ended: what it has fetched so far is of no use."""


class Git:
    """Git in bare repositories; `stop` ends all that runs in any thread."""

    def __init__(self) -> None:
        self.stopped = threading.Event()

    def stop(self) -> None:
        self.stopped.set()

    def __call__(self, store: Path, *words: str) -> bytes:
        """What a command says on stdout.

        Raises:
            Refused: it fails. TooMuch: it takes too long, fetches or says too much, or was stopped.
            CourseError: git is not installed.
        """
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        environment = {**os.environ, "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", _SSH), **_ENVIRONMENT}
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                process = subprocess.Popen(
                    ["git", *settings, *words], cwd=store, env={**environment, "GIT_DIR": "."}, start_new_session=True,
                    stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                )  # fmt: skip
            except FileNotFoundError:
                raise CourseError("git is not installed, and a list of repositories needs it.") from None
            self._wait(process, store, [out, err])
            if process.returncode != 0:
                raise Refused("git can't read it", reason_of(_content(err).decode(errors="replace")))
            return _content(out)

    def _wait(self, process: subprocess.Popen[bytes], store: Path, said: list[IO[bytes]]) -> None:
        deadline = time.monotonic() + PATIENCE
        try:
            is_over = False
            while not is_over:
                try:
                    process.wait(_PERIOD)
                    is_over = True
                except subprocess.TimeoutExpired:
                    pass
                # Once more after its end, too: it may have been quick.
                if trouble := self._too_much(store, said, late=not is_over and time.monotonic() > deadline):
                    raise TooMuch(trouble)
        finally:
            if process.poll() is None:
                processes.kill_tree(process.pid)
                process.wait()

    def _too_much(self, store: Path, said: list[IO[bytes]], *, late: bool) -> str:
        if self.stopped.is_set():
            return "git was interrupted"
        if late:
            return f"git did not finish in {PATIENCE:g} s"
        if any(os.fstat(file.fileno()).st_size > SAID for file in said):
            return f"git lists more than {SAID / 1e6:g} MB of file names"
        if sum(_size(path) for path in (store / "objects").rglob("*")) > FETCHED:
            return f"the repository is larger than {FETCHED / 1e6:g} MB"
        return ""


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:  # A pack that just got its name.
        return 0


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def reason_of(said: str) -> str:
    """The line in which git says why it failed: the first that is an error, or else the last."""
    lines = said.strip().splitlines() or ["no reason given"]
    return next((line for line in lines if line.startswith(("fatal:", "ERROR:"))), lines[-1])[:200]
