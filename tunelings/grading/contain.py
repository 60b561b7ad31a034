"""Keep what an answer does from reaching the next check.

`contained()` gives each check the same starting state (seeds, grad mode, default dtype, patched
functions, working folder) and puts it back afterwards. `time_limit()` ends a check that does not finish.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from types import FrameType

from tunelings.grading.answers import TimeoutLike


class OutOfTime(TimeoutLike):
    """A check did not finish within its limit."""

    def __init__(self, seconds: float):
        super().__init__(f"did not finish in {seconds:g} s")


class Exited(Exception):
    """The answer tried to end the run: sys.exit, or an exception that no `except Exception` catches."""


class LeftBehind(Exception):
    """The answer left global state changed."""


@contextlib.contextmanager
def contained(global_seed: int = 0) -> Iterator[None]:
    """Run one check in a known state, and restore that state.

    Raises:
        Exited: the answer called sys.exit or raised SystemExit, KeyboardInterrupt or GeneratorExit itself.
        LeftBehind: grad mode, default dtype, thread count or a function of a library was left changed.
    """
    seed_everything(global_seed)
    before = _State()
    try:
        with _interrupts_told_apart() as user_pressed, warnings.catch_warnings():
            warnings.simplefilter("default")  # Whoever runs this may have made errors of them.
            try:
                yield
            except (SystemExit, KeyboardInterrupt, GeneratorExit) as error:
                if user_pressed.is_set():
                    raise
                raise Exited(f"the answer ends the program: {type(error).__name__}") from error
    finally:
        changed = before.restore()
    if changed:
        raise LeftBehind(f"the answer leaves {', '.join(changed[:3])} changed for everything that runs after it")


def seed_everything(seed: int) -> None:
    """Seed random, and numpy and torch where they are loaded."""
    random.seed(seed)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(seed)
    if torch := sys.modules.get("torch"):
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_initialized():  # Before that, each seeding would only be noted, with a stack trace.
            torch.cuda.manual_seed_all(seed)


@contextlib.contextmanager
def _interrupts_told_apart() -> Iterator[threading.Event]:
    """An event that is set when the user pressed Ctrl-C, as opposed to the answer raising it."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    previous = signal.getsignal(signal.SIGINT)

    def on_interrupt(signum, frame):
        pressed.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, previous)


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise OutOfTime after `seconds`, and again each second, since an answer may swallow the first.

    Where one was swallowed, the next is raised twice: `while True: try: … except: pass` catches the one,
    and the other comes in its handler, each time a line later than the last. Works in the main thread of
    POSIX systems; elsewhere it does nothing. An outer limit is suspended.
    """
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return
    outside = _frames(sys._getframe())
    swallowed = -1

    def on_alarm(signum, frame):
        nonlocal swallowed
        swallowed += 1
        if swallowed > 0:
            _raise_at_line(swallowed, _frames(frame) - outside, OutOfTime(seconds))
        raise OutOfTime(seconds)

    previous_trace = sys.gettrace()
    previous_handler = signal.signal(signal.SIGALRM, on_alarm)
    previous_timer = signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.settrace(previous_trace)
        signal.signal(signal.SIGALRM, previous_handler)
        signal.setitimer(signal.ITIMER_REAL, *previous_timer)


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


class _State:
    """A snapshot of what an answer could change for those after it."""

    def __init__(self) -> None:
        self.folder = os.getcwd()
        self.environment = dict(os.environ)
        self.streams = sys.stdout, sys.stderr
        self.recursion_limit = sys.getrecursionlimit()
        self.settings = {name: get() for name, (get, _) in _settings().items()}
        self.namespaces = [(owner, dict(vars(owner))) for owner in _namespaces()]

    def restore(self) -> list[str]:
        """Put everything back; the names of what had been changed in a way that alters other answers."""
        os.chdir(self.folder)
        if dict(os.environ) != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)
        sys.stdout, sys.stderr = self.streams
        sys.setrecursionlimit(self.recursion_limit)
        changed = []
        for name, (get, put) in _settings().items():
            if name in self.settings and get() != self.settings[name]:
                put(self.settings[name])
                changed.append(name)
        for owner, names in self.namespaces:
            changed += _restore_names(owner, names)
        return changed


def _settings() -> dict:
    """Global switches by name: how to read and how to set each."""
    torch = sys.modules.get("torch")
    if torch is None:
        return {}
    return {
        "torch's grad mode": (torch.is_grad_enabled, torch.set_grad_enabled),
        "torch's autocast mode": (
            lambda: torch.is_autocast_enabled("cpu"),
            lambda enabled: torch.set_autocast_enabled("cpu", enabled),
        ),
        "torch's default dtype": (torch.get_default_dtype, torch.set_default_dtype),
        "torch's default device": (torch.get_default_device, torch.set_default_device),
        "torch's thread count": (torch.get_num_threads, torch.set_num_threads),
        "torch's deterministic mode": (
            torch.are_deterministic_algorithms_enabled,
            torch.use_deterministic_algorithms,
        ),
    }


_LIBRARIES = (
    "builtins", "math", "random", "time", "numpy", "numpy.random", "torch", "torch.nn", "torch.nn.init",
    "torch.nn.functional", "torch.nn.utils", "torch.autograd", "torch.optim", "torch.amp", "torch.utils.data",
)  # fmt: skip
_CLASSES = ("torch.nn", "torch.optim", "torch.utils.data", "torch.amp")


def _namespaces() -> list:
    """The modules whose functions an answer could replace, and the classes whose methods it could."""
    return _namespaces_of(tuple(name for name in _LIBRARIES if name in sys.modules))


@functools.cache
def _namespaces_of(loaded: tuple[str, ...]) -> list:
    modules = [sys.modules[name] for name in loaded]
    classes = {c for m in modules if m.__name__ in _CLASSES for c in vars(m).values() if isinstance(c, type)}
    if torch := sys.modules.get("torch"):
        classes |= {torch.Tensor, torch.nn.Module, torch.optim.Optimizer}
    return modules + [c for c in classes if c.__module__.startswith("torch")]


def _restore_names(owner, names: dict) -> list[str]:
    now = vars(owner)
    with contextlib.suppress(Exception):  # Some value's == may raise.
        if now == names:  # By identity first, and in C: what is nearly always true must be fast.
            return []
    changed = [
        name
        for name, value in names.items()
        if name not in _VOLATILE and not _is_same_function(now.get(name, _GONE), value)
    ]
    # A lazy import adds names to a module; that changes nothing for anyone. A new name in a class may hide
    # what the class inherits: `Tensor.mean = …`.
    added = now.keys() - names.keys() - _VOLATILE if isinstance(owner, type) else set()
    hiding = [name for name in added if _hides(owner, name)]
    for name in hiding:
        delattr(owner, name)
    for name in changed:
        setattr(owner, name, names[name])
    return [f"{owner.__name__}.{name}" for name in (*changed, *hiding) if name in hiding or callable(names[name])]


def _hides(owner: type, name: str) -> bool:
    inherited = next((vars(base)[name] for base in owner.__mro__[1:] if name in vars(base)), _GONE)
    return inherited is not _GONE and not _is_same_function(vars(owner)[name], inherited)


def _is_same_function(now, before) -> bool:
    """Unchanged, or wrapped by torch itself: an optimizer's first step wraps `step` and other functions."""
    return now is before or _without_wrappers(now) is _without_wrappers(before)


def _without_wrappers(function):
    """What stands inside the wrappers that torch puts around its own functions."""
    while hasattr(function, "__wrapped__") and _TORCH in _file_of(function):
        function = function.__wrapped__
    return function


def _file_of(function) -> str:
    return getattr(getattr(function, "__code__", None), "co_filename", "")


_TORCH = f"site-packages{os.sep}torch{os.sep}"
_GONE = object()
# Written by Python and the libraries themselves.
_VOLATILE = frozenset(
    {"__dict__", "__weakref__", "__warningregistry__", "__annotations__", "__abstractmethods__", "__slotnames__", "_"}
)
