"""Waiting for what another process does."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import psutil


def wait_for(condition: Callable[[], object], seconds: float = 60) -> bool:
    """Whether a condition came true in time; the limit is one that a busy machine keeps, too."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(condition())


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def watched_folders(pid: int) -> int:
    """How many folders a process has the kernel watch, from /proc: for Linux."""
    count = 0
    for info in Path(f"/proc/{pid}/fdinfo").glob("*"):
        with contextlib.suppress(OSError):
            count += info.read_text(encoding="utf-8").count("inotify wd:")
    return count


def descendants(pid: int) -> list[int]:
    """All processes below one."""
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
