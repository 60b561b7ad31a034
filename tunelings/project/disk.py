"""Room for checkpoints: check it before training begins, and say in one line if it runs out anyway."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor

from tunelings.project.errors import ProjectError


def check_room(work: Path, trained: Iterable[Tensor]) -> None:
    """Three checkpoints of weights and moments must fit: the last, the next, and the best weights.

    Raises:
        ProjectError: they don't.
    """
    needed = 3 * 3 * sum(p.numel() * p.element_size() for p in trained)
    free = shutil.disk_usage(work).free
    if free < needed:
        raise ProjectError(
            f"No room for checkpoints: {needed / 1e6:.0f} MB are needed in {work}, {free / 1e6:.0f} MB are free."
        )


def raise_if_full(error: BaseException, work: Path) -> None:
    """torch.save and safetensors say it in words of their own.

    Raises:
        ProjectError: this error says that the disk is full.
    """
    says = str(error)
    if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in says or "PytorchStreamWriter" in says:
        free = shutil.disk_usage(work).free / 1e6
        raise ProjectError(
            f"The disk is full ({free:.0f} MB free in {work}): make room and run it again; it resumes from its "
            "last checkpoint."
        ) from None
