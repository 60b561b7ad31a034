"""What only some systems have: the mark of a test that needs it, and a folder at a second path."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

# tests/test_elsewhere.py knows the words of such tests, and finds one without the mark.
POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals, modes, links, scripts or terminals")


def link_or_copy(path: Path, folder: Path) -> None:
    """Have a folder at a second path: as a link, or as a copy where Windows wants a privilege for links."""
    try:
        path.symlink_to(folder)
    except OSError:
        if os.name != "nt":
            raise
        shutil.copytree(folder, path)
