"""A machine on which text files are not UTF-8 unless somebody says so."""

from __future__ import annotations

import builtins
import contextlib
import io
from collections.abc import Iterator
from unittest.mock import patch


@contextlib.contextmanager
def ascii_by_default() -> Iterator[None]:
    """Text files that are opened without an encoding are ASCII within, as they are in the C locale."""
    real = builtins.open

    def opened(file, mode="r", buffering=-1, encoding=None, *rest, **options):
        if "b" not in mode and encoding in (None, "locale"):
            encoding = "ascii"
        return real(file, mode, buffering, encoding, *rest, **options)

    def named(encoding, stacklevel=2):  # pathlib asks for the name first.
        return encoding or "locale"

    with (
        patch.object(builtins, "open", opened),
        patch.object(io, "open", opened),
        patch.object(io, "text_encoding", named),
    ):
        yield
