"""The environment of a course folder, `DIR/.venv`, and how a `tunelings` from elsewhere goes on in it.

`uvx` throws its environment away, and six gigabytes do not belong into one that serves other things: so `tunelings
init` makes one in the folder. Whichever `tunelings` is started in the folder then hands over to the one in there.
Only the standard library is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tunelings.course import laid_out_root

_HANDED_OVER = "TUNELINGS_HANDED_OVER"  # set for the process that is handed over to: it goes no further
_STAY = ("init", "update")  # They make and change that environment.


def folder(root: Path) -> Path:
    return root / ".venv"


def python(root: Path) -> Path:
    return folder(root) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def command(root: Path) -> Path:
    """The `tunelings` of the folder's environment."""
    return folder(root) / ("Scripts/tunelings.exe" if os.name == "nt" else "bin/tunelings")


def is_running(root: Path) -> bool:
    """This process runs in the folder's environment."""
    return Path(sys.prefix).resolve() == folder(root).resolve()


def hand_over_if_due(arguments: Sequence[str]) -> None:
    """In a course folder that has an environment of its own, go on there; returns where that is not so."""
    came_here = os.environ.pop(_HANDED_OVER, None)
    if came_here or next((word for word in arguments if not word.startswith("-")), "") in _STAY:
        return
    root = laid_out_root()
    if root and command(root).exists() and not is_running(root):
        hand_over(root, arguments)


def hand_over(root: Path, arguments: Sequence[str]) -> None:
    """Become the `tunelings` of the folder's environment; returns only if that cannot be started."""
    os.environ[_HANDED_OVER] = str(root)
    sys.stdout.flush()
    sys.stderr.flush()
    line = [str(command(root)), *arguments]
    try:
        if os.name == "nt":  # There, exec would give the terminal back to the shell at once.
            import subprocess

            raise SystemExit(subprocess.call(line))
        os.execv(line[0], line)
    except OSError:  # Its Python is gone: `tunelings init` makes it anew.
        del os.environ[_HANDED_OVER]
