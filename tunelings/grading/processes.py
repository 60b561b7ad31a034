"""The processes that an answer starts: none of them outlives its checks.

On Linux this process adopts what its descendants leave behind (`adopt_orphans`), also a daemon in a session of its own,
and so finds all of it again.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterable, Set

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_ROUNDS = 50  # Processes may be started while others are being ended.


def adopt_orphans() -> None:
    """Become the parent of every process whose parent, a descendant of this one, ends (Linux)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Have this process killed when the one that started it ends (Linux)."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def be_seen() -> None:
    """Let other processes of this user see what this one uses, though it was forked from one that hides (Linux)."""
    _prctl(_PR_SET_DUMPABLE, 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # A C library of another kind: then without.
            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def descendants(pid: int | None = None) -> list[psutil.Process]:
    """The processes below one (default: this one) that have not ended."""
    with contextlib.suppress(psutil.Error):
        return [one for one in psutil.Process(pid).children(recursive=True) if _is_alive(one)]
    return []


def _is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def memory(found: Iterable[psutil.Process]) -> int:
    """The bytes that processes use together; what they share counts once, and files on the disk don't count (Linux)."""
    return sum(map(_memory, found))


def _memory(process: psutil.Process) -> int:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
        try:
            return _sizes(f"/proc/{process.pid}/smaps_rollup", "Pss_Anon", "Pss_Shmem")
        except PermissionError:  # It has hidden itself, which no answer needs: what it shares counts as its own.
            return _sizes(f"/proc/{process.pid}/status", "RssAnon", "RssShmem")
    return 0


def _sizes(path: str, *names: str) -> int:
    with open(path, encoding="utf-8", errors="replace") as lines:
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
    return sum(1024 * int(fields.get(name, "0").split()[0]) for name in names)


def kill_descendants(spare: Set[int] = frozenset()) -> None:
    """Kill every process below this one, but those whose id is in `spare` and what they started."""
    for _ in range(_ROUNDS):
        found = [one for one in descendants() if not _belongs(one, spare)]
        if not found:
            return
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        for process in found:
            reap(process.pid)


def _belongs(process: psutil.Process, spare: Set[int]) -> bool:
    if not spare:
        return False
    with contextlib.suppress(psutil.Error):
        return bool({process.pid, *(parent.pid for parent in process.parents())} & spare)
    return False


def kill_tree(pid: int) -> None:
    """Kill a process and everything below it; it is stopped first, so that it starts nothing more."""
    _signal(pid, getattr(signal, "SIGSTOP", signal.SIGTERM))
    for _ in range(_ROUNDS):
        found = descendants(pid)
        if not found:
            break
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    _signal(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def reap(pid: int) -> None:
    """Take note of the end of a child, or of an orphan that was adopted, after it was killed."""
    if hasattr(os, "WNOHANG"):
        with contextlib.suppress(ChildProcessError, OSError):
            os.waitpid(pid, 0)


def processor_seconds(pid: int) -> float | None:
    """The processor time of a process's main thread; None where the system does not say."""
    with contextlib.suppress(psutil.Error, AttributeError, OSError):
        return next((one.user_time + one.system_time for one in psutil.Process(pid).threads() if one.id == pid), None)
    return None
