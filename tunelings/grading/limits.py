"""How much one check may take: processor time, time by the clock, memory, output and processes.

A check's own limit is processor time, so that a busy machine makes no right answer late. An answer that only waits
is ended by the clock, which is generous and, on Linux, stands still while others have the processors.
"""

from __future__ import annotations

import contextlib
import errno
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

from tunelings.grading.answers import TimeoutLike

CLOCK = 6  # The clock's limit, in limits of processor time.
GRACE = 5.0  # Seconds of processor time after which a check that ignores its limit is ended from outside.
IMPORTS = 180.0  # Seconds by the clock for an answer's imports, before a check's time begins.
TEXT = 2.0  # Seconds of processor time for the text of an error or a value that an answer made.
DIAGNOSIS = 120.0  # Likewise for the comparison with the known mistakes, after it.
MEMORY = 4 * 2**30  # bytes that a check may use on top of what is imported
MEMORY_OF_ALL = 6 * 2**30  # bytes that the check and the processes that it starts may use together
OUTPUT = 64 * 1024  # bytes of what a check prints that are shown
PROCESSES = 64  # processes that an answer may have at one time


def hard_limit(limit: float) -> float:
    """Seconds by the clock after which a check with this limit is ended from outside."""
    return limit * CLOCK + GRACE


def longest(limit: float) -> float:
    """Seconds by the clock after which there is a verdict on a check, whatever it did."""
    return IMPORTS + hard_limit(limit) + DIAGNOSIS


class OutOfTime(TimeoutLike):
    """A check did not finish within its limit."""

    def __init__(self, seconds: float, *, waited: bool = False):
        """`seconds` is the check's limit; `waited`: the clock's limit was reached first."""
        by_clock = f"{seconds * CLOCK:g} s, most of which it waited"
        super().__init__(f"did not finish in {by_clock if waited else f'{seconds:g} s'}")


def queued(task: str | int = "thread-self") -> float:
    """Seconds that a process (by its number) or this thread was ready to run while others ran (Linux; else 0)."""
    try:
        with _open(f"/proc/{task}/schedstat", encoding="ascii") as told:
            return int(told.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


_open = open  # An answer may put another one in its place.


OUT_OF_MEMORY = "OutOfMemory: "  # How the text of such a failure begins.


TOGETHER = f"{OUT_OF_MEMORY}the answer's processes use more than {MEMORY_OF_ALL / 2**30:g} GiB of memory together"


class OutOfMemory(MemoryError):
    """A check asked for more memory than it may use."""

    def __init__(self, limit: int):
        super().__init__(f"a check may use {limit / 2**30:g} GiB of memory, and this needs more")


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise OutOfTime after `seconds` of this thread's processor time, or `CLOCK` times as many by the clock.

    The clock stands still while the thread is `queued`.
    It is raised again each second, since an answer may swallow the first. Where one was swallowed, the next is raised
    twice: `while True: try: … except: pass` catches the one, and the other comes in its handler, each time a line later
    than the last. Works in the main thread of POSIX systems; elsewhere it does nothing. An outer limit is suspended.
    """
    if not hasattr(signal, "SIGPROF") or threading.current_thread() is not threading.main_thread():
        yield
        return
    outside = _frames(sys._getframe())
    swallowed = -1
    used, passed = _stopwatch(time.thread_time), _stopwatch(lambda: time.monotonic() - queued())

    def on_signal(signum, frame):
        nonlocal swallowed
        # The timers count more: every thread of the process, and the time in which others ran.
        left = seconds - used() if signum == signal.SIGPROF else seconds * CLOCK - passed()
        if left > 0:
            signal.setitimer(timers[signum][0], max(left, 0.01), 1.0)
            return
        swallowed += 1
        error = OutOfTime(seconds, waited=used() < seconds)
        if swallowed > 0:
            _raise_at_line(swallowed, _frames(frame) - outside, error)
        raise error

    previous_trace = sys.gettrace()
    timers = {signal.SIGPROF: (signal.ITIMER_PROF, seconds), signal.SIGALRM: (signal.ITIMER_REAL, seconds * CLOCK)}
    handlers = {signum: signal.signal(signum, on_signal) for signum in timers}
    previous = {timer: signal.setitimer(timer, first, 1.0) for timer, first in timers.values()}
    try:
        yield
    finally:
        for timer in previous:
            signal.setitimer(timer, 0)
        sys.settrace(previous_trace)
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
        for timer, values in previous.items():
            signal.setitimer(timer, *values)


def _stopwatch(clock: Callable[[], float]) -> Callable[[], float]:
    """What a clock shows more than now."""
    began = clock()
    return lambda: clock() - began


def _frames(frame: FrameType | None) -> set[FrameType]:
    """A frame and all that wait for it."""
    found = set()
    while frame is not None:
        found.add(frame)
        frame = frame.f_back
    return found


def _raise_at_line(count: int, frames: set[FrameType], error: BaseException) -> None:
    """Raise `error` at the line that these frames come to next, or the one after that (a `count` of 2), …"""
    lines = 0

    def on_line(frame, event, argument):
        nonlocal lines
        lines += event == "line"
        if lines == count:
            raise error
        return on_line

    for frame in frames:
        frame.f_trace = on_line
    sys.settrace(lambda frame, event, argument: None)


@contextlib.contextmanager
def memory_limit(more: int | None) -> Iterator[None]:
    """Let this process have `more` bytes of data on top of what it has now; only Linux counts them. None: no limit."""
    has_now = _data_bytes() if more is not None else None
    if more is None or has_now is None:
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = has_now + more
    with contextlib.suppress(ValueError, OSError):  # The user's own limit is tighter.
        resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int | None:
    """What RLIMIT_DATA counts of this process."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            fields = dict(line.split(":", 1) for line in status)
        return int(fields["VmData"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


def memory_is_limited() -> bool:
    """A limit of data acts on this process."""
    if not sys.platform.startswith("linux"):
        return False
    import resource

    return resource.getrlimit(resource.RLIMIT_DATA)[0] != resource.RLIM_INFINITY


def is_out_of_memory(error: BaseException, text: str) -> bool:
    """Python's own error, the system's, or torch's, whose message is `text`."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, MemoryError) or isinstance(error, RuntimeError) and "can't allocate memory" in text
