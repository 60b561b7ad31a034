"""Write a file whole, or not at all."""

from __future__ import annotations

import os
import time
from pathlib import Path

_PAUSES = (0.01, 0.05, 0.2, 0.5)  # seconds; most have let go of the file by then


def write_if_changed(path: Path, text: str) -> None:
    """Write `text` unless it already stands there, so that an editor has nothing to reload."""
    if not path.exists() or path.read_text(encoding="utf-8", errors="replace") != text:
        write_atomically(path, text)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace a file whole: a run that is killed, or a disk that is full, leaves the old one or the new one.

    A link is replaced too; the file that it leads to stays as it is.
    """
    import tempfile

    data = content.encode("utf-8") if isinstance(content, str) else content
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if path.exists():
            os.chmod(temporary, path.stat().st_mode & 0o777)
        else:
            os.chmod(temporary, 0o644)
        _replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _replace(source: str, target: Path) -> None:
    """`os.replace`; Windows refuses it while another program, such as a virus scanner, has the file open."""
    for pause in _PAUSES if os.name == "nt" else ():
        try:
            return os.replace(source, target)
        except PermissionError:
            time.sleep(pause)
    os.replace(source, target)
