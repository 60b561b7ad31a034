"""Read only what is a file; write a file whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

LARGEST = 2**24  # bytes that are read: far more than any file of a course, far less than memory holds
_PAUSES = (0.01, 0.05, 0.2, 0.5)  # seconds; most have let go of the file by then


class TooLarge(OSError):
    """A file that is read whole is larger than LARGEST: its size alone may be terabytes, with nothing in them."""


def is_regular(path: Path) -> bool:
    """A file with content, or a link to one; reading from a pipe may never end."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def read_regular(path: Path) -> str:
    """The text of a regular file in UTF-8; OSError where a folder, a pipe or a device stands there, or it is large."""
    if path.exists() and not is_regular(path):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    if path.stat().st_size > LARGEST:
        raise TooLarge(errno.EFBIG, f"the file is larger than {LARGEST >> 20} MiB", str(path))
    return path.read_text(encoding="utf-8")


def parsed(text: str) -> Any:
    """What a text of JSON says; ValueError where it is damaged, in whatever way."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def remembered(path: Path, kind: type) -> dict[str, Any]:
    """The entries of this type of an object in a file of JSON; none where it is missing or damaged."""
    try:
        found = parsed(read_regular(path))
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in found.items() if type(value) is kind} if isinstance(found, dict) else {}


def write_if_changed(path: Path, text: str) -> None:
    """Write `text` unless it already stands there, so that an editor has nothing to reload."""
    with contextlib.suppress(TooLarge, UnicodeDecodeError):
        if is_regular(path) and read_regular(path) == text:
            return
    write_atomically(path, text)


def set_aside(path: Path) -> Path:
    """Rename what stands at `path` to a name beside it that is free; returns that."""
    names = (path.with_name(f"{path.name}.damaged{number or ''}") for number in itertools.count())
    aside = next(name for name in names if not os.path.lexists(name))
    os.replace(path, aside)
    return aside


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace a file whole: a run that is killed, or a disk that is full, leaves the old one or the new one.

    A link is replaced too; the file that it leads to stays as it is.
    """
    with _written_aside(path) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


def copy_atomically(source: Path, path: Path) -> None:
    """Likewise, with the content of another file, however large it is."""
    with source.open("rb") as content, _written_aside(path) as file:
        shutil.copyfileobj(content, file)


@contextlib.contextmanager
def _written_aside(path: Path) -> Iterator[BinaryIO]:
    import tempfile

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
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
