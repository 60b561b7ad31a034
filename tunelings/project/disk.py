"""Room for checkpoints: check it before training begins, and say in one line if it runs out anyway."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tunelings.project.errors import ProjectError

if TYPE_CHECKING:  # The command imports this too, and needs no torch.
    from torch import Tensor


def check_room(work: Path, trained: Iterable[Tensor]) -> None:
    """Three checkpoints of weights and moments must fit: the last, the next, and the best weights.

    Raises:
        ProjectError: they don't.
    """
    needed = 3 * 3 * sum(p.numel() * p.element_size() for p in trained)
    free = shutil.disk_usage(work).free
    if free < needed:
        raise ProjectError(
            f"No room for checkpoints: {needed / 1e6:.1f} MB are needed in {work}, {free / 1e6:.1f} MB are free: make "
            "room and run it again."
        )


def is_full(error: BaseException) -> bool:
    """Whether it says that the disk is full; shutil, torch and safetensors say so in a text alone."""
    says = ("No space left", "Disk quota exceeded", "PytorchStreamWriter")
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or any(one in str(error) for one in says)


@contextlib.contextmanager
def told_if_full(folder: Path) -> Iterator[None]:
    """Raises ProjectError if the disk becomes full meanwhile."""
    try:
        yield
    except Exception as error:
        if not is_full(error):
            raise
        raise ProjectError(
            f"The disk is full at {folder}: make room and run it again; steps that are done stay done."
        ) from None


def raise_if_full(error: BaseException, work: Path) -> None:
    """torch.save and safetensors say it in words of their own.

    Raises:
        ProjectError: this error says that the disk is full.
    """
    if is_full(error):
        free = shutil.disk_usage(work).free / 1e6
        raise ProjectError(
            f"The disk is full ({free:.0f} MB free in {work}): make room and run it again; it resumes from its "
            "last checkpoint."
        ) from None
