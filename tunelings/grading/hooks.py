"""Where torch calls other people's code: its global hooks, and the stacks of modes; read, and put back as they were.

Each place is a name as a learner would know it, a function that reads it as a list or dictionary, and one that puts
what was read back. torch offers no public way to read them; where a version keeps one elsewhere, it is not watched.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

_REGISTRIES = {
    "torch.nn.modules.module": (
        "_global_forward_hooks",
        "_global_forward_pre_hooks",
        "_global_forward_hooks_always_called",
        "_global_forward_hooks_with_kwargs",
        "_global_backward_hooks",
        "_global_backward_pre_hooks",
        "_global_parameter_registration_hooks",
        "_global_module_registration_hooks",
        "_global_buffer_registration_hooks",
    ),
    "torch.optim.optimizer": ("_global_optimizer_pre_hooks", "_global_optimizer_post_hooks"),
}

Place = tuple[str, Callable[[], Any], Callable[[Any], None]]


def places() -> list[Place]:
    """Every place that the torch which is loaded has."""
    return _places_of(tuple(name for name in ("torch", *_REGISTRIES) if name in sys.modules))


@functools.cache
def _places_of(loaded: tuple[str, ...]) -> list[Place]:
    return list(_places()) if "torch" in loaded else []


def _places() -> Iterator[Place]:
    for module, names in _REGISTRIES.items():
        for name in names:
            registry = getattr(sys.modules.get(module), name, None)
            if isinstance(registry, dict):
                yield f"torch's {name.removeprefix('_').replace('_', ' ')}", registry.copy, _refill(registry)
    with contextlib.suppress(ImportError, AttributeError):
        from torch.overrides import _pop_mode, _push_mode

        yield "torch's stack of function modes", _function_modes, _restack(_function_modes, _pop_mode, _push_mode)
    with contextlib.suppress(ImportError, AttributeError):
        from torch.utils import _python_dispatch as dispatch

        read = dispatch._get_current_dispatch_mode_stack
        yield "torch's stack of dispatch modes", read, _restack(read, dispatch._pop_mode, dispatch._push_mode)
    with contextlib.suppress(ImportError, AttributeError):
        from torch._C import _autograd

        yield "torch's hooks for saved tensors", _saved_hooks, lambda before: _restore_saved_hooks(_autograd, before)


def _refill(registry: dict) -> Callable[[dict], None]:
    def put(before: dict) -> None:
        registry.clear()
        registry.update(before)

    return put


def _restack(read: Callable[[], list], pop: Callable[[], Any], push: Callable[[Any], None]) -> Callable[[list], None]:
    def put(before: list) -> None:
        while read():
            pop()
        for mode in before:
            push(mode)

    return put


def _function_modes() -> list:
    from torch.overrides import _get_current_function_mode_stack
    from torch.utils._device import DeviceContext

    # The default device is one of them; it has a getter and a setter of its own.
    return [mode for mode in _get_current_function_mode_stack() if not isinstance(mode, DeviceContext)]


def _saved_hooks() -> list:
    from torch._C import _autograd

    top = _autograd._top_saved_tensors_default_hooks(True)
    return [] if top is None else [top]


def _restore_saved_hooks(autograd: Any, before: list) -> None:
    while (now := _saved_hooks()) and now != before:
        autograd._pop_saved_tensors_default_hooks()
