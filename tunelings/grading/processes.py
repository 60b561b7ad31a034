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
import time
from collections.abc import Iterable, Set

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_PATIENCE = 5.0  # seconds in which a process that was killed has ended
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
    return [one for one in _below(pid) if _is_alive(one)]


def _below(pid: int | None) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
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
    own, left = {0, _group(0), *map(_group, spare)}, set[int]()
    for _ in range(_ROUNDS):
        # Also those that have ended: of one that forks and ends all the time, only its group is still there.
        below = [one for one in _below(None) if one.pid not in left and not _belongs(one, spare)]
        groups = {_group(one.pid) for one in below} - own
        found = [one for one in below if _is_alive(one) or _group(one.pid) in groups]
        if not found:
            return
        for group in groups:
            with contextlib.suppress(OSError):
                os.killpg(group, signal.SIGKILL)
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        left |= {process.pid for process in found if not reap(process.pid)}


def _group(pid: int) -> int:
    """The number of a process's group; 0 where it has ended, or the system has no groups."""
    with contextlib.suppress(OSError, AttributeError):
        return os.getpgid(pid)
    return 0


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


def reap(pid: int) -> bool:
    """Take note of the end of a child, or of an orphan that was adopted, after it was killed.

    False: it has not ended. It may be another user's, as with `sudo`, and then no signal reaches it.
    """
    if hasattr(os, "WNOHANG"):
        began, pause = time.monotonic(), 0.001
        with contextlib.suppress(ChildProcessError, OSError):
            while os.waitpid(pid, os.WNOHANG) == (0, 0):
                if time.monotonic() > began + _PATIENCE:
                    return False
                time.sleep(pause)
                pause = min(2 * pause, 0.05)
    return True


def processor_seconds(pid: int) -> float | None:
    """The processor time of a process's main thread; None where the system does not say."""
    with contextlib.suppress(psutil.Error, AttributeError, OSError):
        return next((one.user_time + one.system_time for one in psutil.Process(pid).threads() if one.id == pid), None)
    return None
