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
    while not (is_so := bool(condition())) and time.monotonic() < end:
        time.sleep(0.05)
    return is_so  # not asked again: what was so for a moment is so


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


def runs_below(pid: int, module: str) -> bool:
    """Whether Python runs a module in some process below one."""
    words: list[str] = []
    for child in descendants(pid):
        with contextlib.suppress(psutil.Error):
            words += psutil.Process(child).cmdline()
    return module in words
