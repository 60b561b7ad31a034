"""pytest's temporary folder, in which every `tmp_path` lies: what an answer does to it stops no other exercise."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from pathlib import Path

import pytest

DEEPEST = 50  # folders in one another; pytest removes a folder by recursion, which ends at about 1,000


def restore(config: pytest.Config) -> None:
    """Make the folder anew where an answer has deleted it, or has put a file in its place or in that of a parent."""
    if (factory := getattr(config, "_tmp_path_factory", None)) is None:
        return
    base = factory.getbasetemp()
    if not base.is_dir():
        for folder in (*reversed(base.parents), base):
            if os.path.lexists(folder) and not folder.is_dir():
                folder.unlink()
        base.mkdir(parents=True)


def tidy(config: pytest.Config, *, answers_ran: bool) -> None:
    """Leave nothing that pytest cannot remove, and have it remove its older folders now, where its failure is heard."""
    factory = getattr(config, "_tmp_path_factory", None)
    base: Path | None = getattr(factory, "_basetemp", None)
    if base is None:
        return
    with contextlib.suppress(OSError):
        restore(config)
        if answers_ran:
            flatten(base)
    try:
        getattr(factory, "_exit_stack", contextlib.ExitStack()).close()
    except OSError:
        pass
    except RecursionError:  # A run that was killed has left what is too deep; pytest has renamed it.
        for garbage in base.parent.glob("garbage-*"):
            with contextlib.suppress(OSError):
                flatten(garbage)
                shutil.rmtree(garbage, ignore_errors=True)


def flatten(top: Path) -> None:
    """Move every folder that lies deeper than DEEPEST up to `top`; never by its path, which may be too long."""
    if os.rename not in os.supports_dir_fd:  # Windows, where no path is as long as that.
        return
    root = os.open(top, os.O_RDONLY)
    try:
        waiting = _folders_in(root)
        while waiting:
            waiting += _move_up(root, root, waiting.pop(), DEEPEST)
    finally:
        os.close(root)


def _move_up(root: int, folder: int, name: str, levels: int) -> list[str]:
    """Move to `root` what lies so many levels below a folder; returns the names that it has there."""
    with contextlib.suppress(OSError):  # What cannot be opened or moved; pytest does not go into it, either.
        if levels == 0:
            moved = f"deep-{uuid.uuid4()}"
            os.rename(name, moved, src_dir_fd=folder, dst_dir_fd=root)
            return [moved]
        here = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
        try:
            return [moved for inner in _folders_in(here) for moved in _move_up(root, here, inner, levels - 1)]
        finally:
            os.close(here)
    return []


def _folders_in(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
