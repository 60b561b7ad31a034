"""Models of plain torch with what a comfortable example leaves out, and an optimizer that holds all of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

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
