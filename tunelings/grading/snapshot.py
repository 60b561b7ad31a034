"""What an answer could change for those after it: taken before a check, and put back after it.

What is compared is what can alter another answer's verdict: switches, hooks and modes of torch, functions and methods
of libraries (by identity, and by their code), and the grader itself. The rest is put back without a word.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tunelings.grading import hooks

_LIBRARIES = (
    "builtins", "math", "random", "time", "os", "os.path", "json", "json.decoder", "json.encoder", "hashlib", "pathlib",
    "io", "copy", "numpy", "numpy.random", "numpy.testing", "torch", "torch.testing", "torch.nn", "torch.nn.init",
    "torch.nn.functional", "torch.nn.utils", "torch.autograd", "torch.optim", "torch.amp", "torch.utils.data",
    "torch.linalg", "torch.special",
)  # fmt: skip
_CLASSES = ("torch.nn", "torch.optim", "torch.utils.data", "torch.amp", "pathlib", "json.decoder", "json.encoder")
_GRADER = ("pytest", "_pytest.outcomes", "_pytest.runner", "_pytest.python")


class Snapshot:
    """The state now; `check` is the namespace of the check that is going to run."""

    def __init__(self, check: dict[str, Any] | None = None) -> None:
        self.folder = os.getcwd()
        self.environment = dict(os.environ)
        self.streams = sys.stdout, sys.stderr, sys.stdin
        self.recursion_limit = sys.getrecursionlimit()
        self.collects = gc.isenabled()
        self.profile = sys.getprofile()
        self.path = list(sys.path)
        self.handlers = {number: signal.getsignal(number) for number in _signals()}
        self.settings = [(name, get, put, get()) for name, (get, put) in _settings().items()]
        self.hooks = [(name, read, put, read()) for name, read, put in hooks.places()]
        self.functions = _functions_now()
        self.check = check, _guarded(check or {})

    def restore(self) -> tuple[list[str], list[str]]:
        """Put everything back.

        Returns the names of what had been changed in a way that alters other answers, and of what of the grader.
        """
        kept = self.functions
        grader = _restore_codes(kept.grader_owners)
        for owner, names in kept.grader:
            grader += _restore_grader(owner, vars(owner), names)
        namespace, names = self.check
        if namespace is not None:
            grader += _restore_grader(None, namespace, names)
        self._restore_quietly()
        changed = [*_restore_codes(kept.owners), *(f"sys.modules[{name!r}]" for name in self._restore_modules())]
        for name, get, put, before in (*self.settings, *self.hooks):  # The default dtype brings its Storage back, too.
            if not _are_same(get(), before):
                put(before)
                changed.append(name)
        for owner, names in kept.libraries:
            changed += _restore_names(owner, names)
        return changed, grader

    def _restore_quietly(self) -> None:
        with contextlib.suppress(OSError):
            os.chdir(self.folder)
        if dict(os.environ) != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)
        sys.stdout, sys.stderr, sys.stdin = self.streams
        sys.setrecursionlimit(self.recursion_limit)
        (gc.enable if self.collects else gc.disable)()
        sys.setprofile(self.profile)
        if sys.path != self.path:
            sys.path[:] = self.path
        for number, handler in self.handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                with contextlib.suppress(ValueError, OSError, TypeError):  # Not in the main thread.
                    signal.signal(number, handler)

    def _restore_modules(self) -> list[str]:
        """Modules that were replaced or taken out; new ones may stay."""
        before = self.functions.modules
        with contextlib.suppress(Exception):
            if before.items() <= sys.modules.items():  # In C: this is compared after each check.
                return []
        gone = [name for name, module in before.items() if sys.modules.get(name) is not module]
        for name in gone:
            sys.modules[name] = before[name]
        return [name for name in gone if not name.startswith("tunelings_answer_")]


@dataclass(frozen=True)
class _Functions:
    """The functions of the libraries and of the grader, by the module or class that holds them; and all modules."""

    modules: dict[str, Any]
    owners: list
    grader_owners: list
    libraries: list[tuple[Any, dict[str, Any]]]
    grader: list[tuple[Any, dict[str, Any]]]


_last: _Functions | None = None


def _functions_now() -> _Functions:
    """The functions as they are; looked up again only after an import, since `restore` leaves them as they were."""
    global _last
    if _last is None or not _are_same(_last.modules, sys.modules):
        owners, grader_owners = _namespaces(), _grader_namespaces()
        for one in (owners, grader_owners):
            _restore_codes(one)
        libraries = [(owner, dict(vars(owner))) for owner in owners]
        grader = [(owner, _guarded(vars(owner))) for owner in grader_owners]
        _last = _Functions(dict(sys.modules), owners, grader_owners, libraries, grader)
    return _last


def prepare() -> None:
    """Look up once, before anything is forked, what each check compares."""
    _functions_now()


def _signals() -> tuple[int, ...]:
    names = ("SIGINT", "SIGTERM", "SIGCHLD", "SIGPIPE", "SIGUSR1", "SIGUSR2")
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


def _are_same(now: Any, before: Any) -> bool:
    with contextlib.suppress(Exception):  # Some value's == may raise.
        return bool(now == before)
    return False


def _settings() -> dict:
    """Global switches by name: how to read and how to set each."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "is_grad_enabled"):
        return {}
    return {
        "torch's grad mode": (torch.is_grad_enabled, torch.set_grad_enabled),
        "torch's autocast mode": (
            lambda: torch.is_autocast_enabled("cpu"),
            lambda enabled: torch.set_autocast_enabled("cpu", enabled),
        ),
        "torch's anomaly mode": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
        "torch's default dtype": (torch.get_default_dtype, torch.set_default_dtype),
        "torch's default device": (torch.get_default_device, torch.set_default_device),
        "torch's thread count": (torch.get_num_threads, torch.set_num_threads),
        "torch's float32 precision": (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
        "torch's deterministic mode": (
            torch.are_deterministic_algorithms_enabled,
            torch.use_deterministic_algorithms,
        ),
    }


def _namespaces() -> list:
    """The modules whose functions an answer could replace, and the classes whose methods it could."""
    return _namespaces_of(tuple(name for name in _LIBRARIES if name in sys.modules))


@functools.cache
def _namespaces_of(loaded: tuple[str, ...]) -> list:
    modules = [sys.modules[name] for name in loaded]
    classes = {c for m in modules if m.__name__ in _CLASSES for c in vars(m).values() if isinstance(c, type)}
    if torch := sys.modules.get("torch"):
        classes |= {torch.Tensor, torch.nn.Module, torch.optim.Optimizer}
    return modules + [c for c in classes if c.__module__.startswith(("torch", "pathlib", "json"))]


def _grader_namespaces() -> list:
    """The modules of this package and of pytest that decide a verdict, and the classes in them."""
    own = [name for name in sys.modules if name == "tunelings" or name.startswith("tunelings.")]
    return _grader_namespaces_of((*own, *(name for name in _GRADER if name in sys.modules)))


@functools.cache
def _grader_namespaces_of(names: tuple[str, ...]) -> list:
    modules = [sys.modules[name] for name in names if isinstance(sys.modules[name], ModuleType)]
    classes = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__
    }
    return [*modules, *sorted(classes, key=lambda one: (one.__module__, one.__qualname__))]


def _guarded(names: dict[str, Any]) -> dict[str, Any]:
    """What of a namespace of the grader stays as it is: functions, classes, modules and constants."""
    return {
        name: value
        for name, value in names.items()
        if name not in _VOLATILE and (callable(value) or name.isupper() or isinstance(value, ModuleType))
    }


def _restore_grader(owner: Any, now: Any, names: dict[str, Any]) -> list[str]:
    with contextlib.suppress(Exception):
        if names.items() <= now.items():  # By identity first, and in C.
            return []
    changed = [name for name, value in names.items() if now.get(name, _GONE) is not value]
    for name in changed:
        if owner is None:
            now[name] = names[name]
        else:
            setattr(owner, name, names[name])
    where = "the check's" if owner is None else _short_name(owner)
    return [f"{where} {name}" if owner is None else f"{where}.{name}" for name in changed]


def _short_name(owner: Any) -> str:
    return str(owner.__name__).removeprefix("tunelings.").removeprefix("grading.")


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


_Codes = list[tuple[FunctionType, str, CodeType, Any, Any]]
_codes: dict[int, _Codes] = {}  # by the id of a list of namespaces, which is kept


def _restore_codes(owners: list) -> list[str]:
    """The names of functions that are the same objects with other code or defaults; theirs is put back."""
    if id(owners) not in _codes:
        _codes[id(owners)] = list(_functions(owners))
    changed = []
    for function, name, code, defaults, keyword_defaults in _codes[id(owners)]:
        if (
            function.__code__ is not code
            or function.__defaults__ is not defaults
            or function.__kwdefaults__ is not keyword_defaults
        ):
            function.__code__, function.__defaults__, function.__kwdefaults__ = code, defaults, keyword_defaults
            changed.append(name)
    return changed


def _functions(owners: list) -> Iterator[tuple[FunctionType, str, CodeType, Any, Any]]:
    for owner in owners:
        for name, value in vars(owner).items():
            function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            if isinstance(function, FunctionType):
                place = f"{_short_name(owner)}.{name}"
                yield function, place, function.__code__, function.__defaults__, function.__kwdefaults__


_TORCH = f"site-packages{os.sep}torch{os.sep}"
_GONE = object()
# Written by Python and the libraries themselves.
_VOLATILE = frozenset(
    {
        "__dict__",
        "__weakref__",
        "__warningregistry__",
        "__annotations__",
        "__abstractmethods__",
        "__slotnames__",
        "_",
        "listener",  # Of tunelings.live: each process of the loop sets its own.
    }
)
