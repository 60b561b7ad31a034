"""What an answer could change for those after it: taken before a check, and put back after it.

What is compared is what can alter another answer's verdict: switches, hooks and modes of torch, functions and methods
of libraries (by identity, and by their code), and the grader itself. The rest is put back without a word.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import os
import signal
import sys
from typing import Any

from tunelings.grading import hooks
from tunelings.grading.functions import (
    are_same,
    codes_of,
    functions_now,
    guarded,
    put_codes_back,
    restore_builtins,
    restore_codes,
    restore_grader,
    restore_names,
)


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
        self.functions = functions_now()
        self.builtins = dict(vars(builtins))
        self.check = check, guarded(check or {}), frozenset(check or ())
        self.codes = codes_of(check or {})

    def restore(self) -> tuple[list[str], list[str]]:
        """Put everything back.

        Returns the names of what had been changed in a way that alters other answers, and of what of the grader.
        """
        swapped = restore_builtins(self.builtins)
        kept = self.functions
        grader = restore_codes(kept.grader_owners)
        for owner, names, known in kept.grader:
            grader += restore_grader(owner, vars(owner), names, known)
        namespace, names, known = self.check
        if namespace is not None:
            grader += [*restore_grader(None, namespace, names, known), *put_codes_back(self.codes)]
        self._restore_quietly()
        changed = [
            *swapped,
            *restore_codes(kept.owners),
            *(f"sys.modules[{name!r}]" for name in self._restore_modules()),
        ]
        for name, get, put, before in (*self.settings, *self.hooks):  # The default dtype brings its Storage back, too.
            if not are_same(get(), before):
                put(before)
                changed.append(name)
        for owner, names in kept.libraries:
            changed += restore_names(owner, names)
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


def _signals() -> tuple[int, ...]:
    names = ("SIGINT", "SIGTERM", "SIGCHLD", "SIGPIPE", "SIGUSR1", "SIGUSR2")
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


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
