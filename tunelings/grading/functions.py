"""The functions of the libraries and of the grader that an answer could replace: found, compared and put back.

They are compared by identity, and by their code: an answer may put other code into the same function.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

_LIBRARIES = (
    "builtins", "math", "random", "time", "os", "os.path", "json", "json.decoder", "json.encoder", "hashlib", "pathlib",
    "io", "copy", "numpy", "numpy.random", "numpy.testing", "torch", "torch.testing", "torch.nn", "torch.nn.init",
    "torch.nn.functional", "torch.nn.utils", "torch.autograd", "torch.optim", "torch.amp", "torch.utils.data",
    "torch.linalg", "torch.special",
)  # fmt: skip
# What else the grader is written with; without forked processes all exercises share it. `warnings` and `threading` are
# left out: Python and pytest replace what is in them.
_STANDARD = (
    "ast", "collections", "contextlib", "dataclasses", "dis", "enum", "functools", "gc", "importlib", "inspect",
    "itertools", "linecache", "operator", "re", "signal", "textwrap", "tokenize", "traceback", "types", "unicodedata",
)  # fmt: skip
_CLASSES = (
    "torch.nn", "torch.optim", "torch.utils.data", "torch.amp", "os", "pathlib", "json.decoder", "json.encoder",
)  # fmt: skip
_GRADER = ("pytest", "_pytest.nodes", "_pytest.outcomes", "_pytest.python", "_pytest.reports", "_pytest.runner")


@dataclass(frozen=True)
class Functions:
    """The functions of the libraries and of the grader, by the module or class that holds them; and all modules."""

    modules: dict[str, Any]
    owners: list
    grader_owners: list
    libraries: list[tuple[Any, dict[str, Any]]]
    grader: list[tuple[Any, dict[str, Any], frozenset[str]]]  # what stays as it is, and all names


_last: Functions | None = None


def functions_now() -> Functions:
    """The functions as they are; looked up again only after an import, since `restore` leaves them as they were."""
    global _last
    if _last is None or not are_same(_last.modules, sys.modules):
        owners, grader_owners = _namespaces(), _grader_namespaces()
        for one in (owners, grader_owners):
            restore_codes(one)
        libraries = [(owner, dict(vars(owner))) for owner in owners]
        grader = [(owner, guarded(vars(owner)), frozenset(vars(owner))) for owner in grader_owners]
        _last = Functions(dict(sys.modules), owners, grader_owners, libraries, grader)
    return _last


def prepare() -> None:
    """Look up once, before anything is forked, what each check compares."""
    functions_now()


def are_same(now: Any, before: Any) -> bool:
    with contextlib.suppress(Exception):  # Some value's == may raise.
        return bool(now == before)
    return False


def _namespaces() -> list:
    """The modules whose functions an answer could replace, and the classes whose methods it could."""
    return _namespaces_of(tuple(name for name in (*_LIBRARIES, *_STANDARD) if name in sys.modules))


@functools.cache
def _namespaces_of(loaded: tuple[str, ...]) -> list:
    modules = [sys.modules[name] for name in loaded]
    classes = {c for m in modules if m.__name__ in _CLASSES for c in vars(m).values() if isinstance(c, type)}
    if torch := sys.modules.get("torch"):
        classes |= {torch.Tensor, torch.nn.Module, torch.optim.Optimizer}
    return modules + [c for c in classes if c.__module__.startswith(("torch", "os", "pathlib", "json"))]


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


def guarded(names: dict[str, Any]) -> dict[str, Any]:
    """What of a namespace of the grader stays as it is: functions, classes, modules and constants."""
    return {
        name: value
        for name, value in names.items()
        if name not in _VOLATILE
        and (_is_code(value) or name.isupper() or isinstance(value, ModuleType) or name == "notes")
    }


def restore_grader(owner: Any, now: Any, names: dict[str, Any], known: frozenset[str]) -> list[str]:
    with contextlib.suppress(Exception):
        if names.items() <= now.items() and now.keys() <= known:  # By identity first, and in C.
            return []
    changed = [name for name, value in names.items() if now.get(name, _GONE) is not value]
    added = [name for name in now.keys() - known - _VOLATILE if _shadows(owner, name) or _is_method(owner, name)]
    for name in added:
        if owner is None:
            del now[name]
        else:
            delattr(owner, name)
    for name in changed:
        if owner is None:
            now[name] = names[name]
        else:
            setattr(owner, name, names[name])
    where = "the check's" if owner is None else _short_name(owner)
    return [f"{where} {name}" if owner is None else f"{where}.{name}" for name in (*changed, *sorted(added))]


def _short_name(owner: Any) -> str:
    return str(owner.__name__).removeprefix("tunelings.").removeprefix("grading.")


def restore_names(owner, names: dict) -> list[str]:
    now = vars(owner)
    with contextlib.suppress(Exception):  # Some value's == may raise.
        if now == names:  # By identity first, and in C: what is nearly always true must be fast.
            return []
    changed = [
        name
        for name, value in names.items()
        if name not in _VOLATILE and not _is_same_function(now.get(name, _GONE), value)
    ]
    # A lazy import adds names to a module; that changes nothing for anyone, unless they hide builtins from it. A new
    # name in a class may hide what the class inherits: `Tensor.mean = …`.
    hiding = [name for name in now.keys() - names.keys() - _VOLATILE if _shadows(owner, name)]
    for name in hiding:
        delattr(owner, name)
    for name in changed:
        setattr(owner, name, names[name])
    return [f"{owner.__name__}.{name}" for name in (*changed, *hiding) if name in hiding or _acts(names[name])]


def _is_code(value: Any) -> bool:
    """A function, a class, or what makes a method of one."""
    return callable(value) or isinstance(value, classmethod | staticmethod | property)


def _acts(value: Any) -> bool:
    """Code, or an object whose methods the module's functions call, such as `json._default_encoder`."""
    return _is_code(value) or type(value).__module__ in ("json.decoder", "json.encoder", "random")


def restore_builtins(kept: dict[str, Any]) -> list[str]:
    """Before all else, and by no builtin function: what puts the rest back needs them."""
    now = builtins.__dict__
    changed = [name for name, value in kept.items() if name != "_" and now.get(name, _GONE) is not value]
    now.update(kept)
    return [f"builtins.{name}" for name in changed]


def _shadows(owner: Any, name: str) -> bool:
    """The added name hides a builtin from a module, or from a class what it inherits."""
    return _hides(owner, name) if isinstance(owner, type) else name in builtins.__dict__


def _is_method(owner: Any, name: str) -> bool:
    """Python itself calls it: `__getattr__` and others that no class inherits."""
    return isinstance(owner, type) and name.startswith("__") and _is_code(vars(owner)[name])


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


Codes = list[tuple[FunctionType, str, CodeType, Any, Any]]
_codes: dict[int, Codes] = {}  # by the id of a list of namespaces, which is kept


def restore_codes(owners: list) -> list[str]:
    """The names of functions that are the same objects with other code or defaults; theirs is put back."""
    if id(owners) not in _codes:
        _codes[id(owners)] = list(_functions(owners))
    return put_codes_back(_codes[id(owners)])


def codes_of(check: dict[str, Any]) -> Codes:
    """What `put_codes_back` puts back of the functions that a check's file defines."""
    own = [(name, one) for name, one in check.items() if isinstance(one, FunctionType) and one.__globals__ is check]
    return [(one, f"the check's {name}", one.__code__, one.__defaults__, one.__kwdefaults__) for name, one in own]


def put_codes_back(codes: Codes) -> list[str]:
    """The names of those that have other code or defaults now."""
    changed = []
    for function, name, code, defaults, keyword_defaults in codes:
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
        "fspath",  # Of pytest's Node: each run of pytest in this process sets one of its own.
        "listener",  # Of tunelings.live: each process of the loop sets its own.
    }
)
