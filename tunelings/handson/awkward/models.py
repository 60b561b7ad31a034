"""Models of plain torch with what a comfortable example leaves out, and an optimizer that holds all of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

from tunelings.inputs import randint, seed

VOCABULARY = 11
_WIDTH = 6


class ScaledLayerNorm(nn.LayerNorm):
    """A LayerNorm by inheritance, which a comparison of exact types overlooks."""


class AwkwardModel(nn.Module):
    """Token ids `[N, T]` (int64) to `outputs` numbers for each of N examples.

    - `first` and `again` share their weight; `gain` is neither weight nor bias; `unused` takes no part in forward.
    - `frozen` needs no gradient and takes part; `batch_norm` runs twice in each forward pass.
    - `norm` is a subclass of LayerNorm, `rms` an RMSNorm; `dropout` is off for `p=0`.
    """

    def __init__(self, outputs: int = 1, p: float = 0.0):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, _WIDTH)
        self.first = nn.Linear(_WIDTH, _WIDTH)
        self.again = nn.Linear(_WIDTH, _WIDTH)
        self.again.weight = self.first.weight
        self.batch_norm = nn.BatchNorm1d(_WIDTH, momentum=0.3)
        self.norm = ScaledLayerNorm(_WIDTH)
        self.rms = nn.RMSNorm(_WIDTH)
        self.gain = nn.Parameter(torch.ones(_WIDTH))
        self.frozen = nn.Parameter(torch.full((_WIDTH,), 0.5), requires_grad=False)
        self.unused = nn.Linear(3, 2)
        self.dropout = nn.Dropout(p)
        self.head = nn.Linear(_WIDTH, outputs)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids).mean(1)
        x = self.batch_norm(self.first(x)).tanh()
        x = self.batch_norm(self.again(x))
        x = self.rms(self.norm(x)) * self.gain + self.frozen
        return self.head(self.dropout(x))


def awkward_model(outputs: int = 1, *, p: float = 0.0, dtype: torch.dtype = torch.float64) -> AwkwardModel:
    """The model with the weights of this run's seed, in train mode."""
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(seed(71))
    try:
        return AwkwardModel(outputs, p).to(dtype)
    finally:
        torch.set_rng_state(state)


def token_batch(examples: int = 5, length: int = 3, offset: int = 72) -> Tensor:
    """Token ids `[examples, length]`, int64, for an AwkwardModel."""
    return randint(0, VOCABULARY, (examples, length), offset)


def leave_old_gradients(model: nn.Module) -> dict[str, Tensor]:
    """Give every parameter, frozen and unused ones too, a `.grad` of ones; returns copies of the values by name."""
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def adamw_over_all(model: nn.Module, lr: float = 0.1, weight_decay: float = 0.2) -> torch.optim.AdamW:
    """AdamW with decay over every parameter, frozen and unused ones too: with an old `.grad` it moves them."""
    return torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay)


# ---------------------------------------------------------------- another default device
_FACTORIES = {
    getattr(torch, name)
    for name in (
        *("zeros", "ones", "empty", "full", "eye", "arange", "linspace", "rand", "randn", "randint"),
        *("tensor", "as_tensor", "scalar_tensor"),
    )
}
_MOVES = {"to", "type_as"}
_INDEXED = {"__getitem__", "__setitem__"}


class OtherDefaultDevice(TorchFunctionMode):
    """As on a machine whose default device is another one than that of the tensors at hand.

    A tensor that is made from nothing and without `device=` lands on meta, as it would land on the CPU beside tensors
    on a GPU. What is computed from such tensors alone stays there. Moved to the device of another tensor (`to`, `cpu`,
    `type_as`), it has its numbers again. One of no dimensions may meet any device, and is left alone; an index may come
    from the CPU.
    """

    def __init__(self):
        super().__init__()
        self._here: dict[int, tuple[Tensor, Tensor]] = {}  # by the id of the one on meta: it, and its numbers

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        given = [part for part in tree_leaves((args, kwargs)) if isinstance(part, Tensor)]
        away = [tensor for tensor in given if id(tensor) in self._here]
        if away and id(args[0]) in self._here and _is_a_move(func, args, kwargs):
            return func(self._here[id(args[0])][1], *args[1:], **kwargs)
        if away and getattr(func, "__name__", "") in _INDEXED and id(args[0]) not in self._here:
            return func(args[0], *tree_map(self._with_numbers, args[1:]))
        if away and len(away) == len(given):
            return self._elsewhere(func(*tree_map(self._with_numbers, args), **tree_map(self._with_numbers, kwargs)))
        result = func(*args, **kwargs)
        made_from_nothing = func in _FACTORIES and not given and kwargs.get("device") is None
        return self._elsewhere(result) if made_from_nothing else result

    def _with_numbers(self, part):
        return self._here[id(part)][1] if id(part) in self._here else part

    def _elsewhere(self, result):
        """The result as a tensor on meta, its numbers kept aside; what is no tensor as it is."""
        if isinstance(result, torch.device):
            return torch.device("meta")
        if not isinstance(result, Tensor) or not result.dim():
            return result
        elsewhere = result.detach().to("meta")
        self._here[id(elsewhere)] = (elsewhere, result)
        return elsewhere


def _is_a_move(func, args, kwargs) -> bool:
    """`.cpu()`, `.to(…)` with a device or a tensor, `.type_as(tensor)`; `.to(dtype)` moves nothing."""
    named = [*args[1:], *kwargs.values()]
    name = getattr(func, "__name__", "")
    return name == "cpu" or name in _MOVES and any(isinstance(part, str | torch.device | Tensor) for part in named)
