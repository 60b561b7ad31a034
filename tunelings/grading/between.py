"""The process between the grader and the child that runs an answer: it waits for the child, and answers pings."""

from __future__ import annotations

import contextlib
import os
import select
import warnings
from collections.abc import Callable
from typing import NoReturn

from tunelings.grading import processes
from tunelings.grading.child import drop_files


def fork() -> int:
    """`os.fork`; Python warns where a library has threads, which hold no lock while this process waits for a check."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def stand_between(pings: int, status: int, child: Callable[[], NoReturn]) -> NoReturn:
    """Start the child, answer each ping, wait for the child's end, and write how it ended to `status`."""
    try:
        os.setsid()
        processes.die_with_parent()
        pid = fork()
        if pid == 0:
            child()
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        drop_files(null, keep={pings, status})
        waiting = select.poll()
        waiting.register(pings, select.POLLIN)
        period: int | None = 50  # ms
        with contextlib.suppress(OSError, AttributeError):  # An old kernel.
            waiting.register(os.pidfd_open(pid), select.POLLIN)
            period = None
        while True:
            found, code = os.waitpid(pid, os.WNOHANG)
            if found:
                os.write(status, str(code).encode())
                break
            for number, _ in waiting.poll(period):
                if number == pings:
                    os.write(status, b"!") if os.read(pings, 1) else waiting.unregister(pings)
    finally:
        os._exit(0)
