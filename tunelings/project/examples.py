"""Rows as what a model trains on: token ids, labels, batches, and the loss of each kind of head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tunelings.project.config import Config
from tunelings.project.parts import Parts

Example = dict[str, Any]
LossFn = Callable[[Tensor, Tensor], tuple[Tensor, int]]


class Reader(nn.Module):
    """A model of transformers as a function of one tensor, which is what 1.07 trains: `[B, 2, T]`, ids and mask."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor) -> Tensor:
        ids, mask = inputs.unbind(1)
        return self.model(input_ids=ids, attention_mask=mask).logits


@dataclass(frozen=True)
class Kind:
    """How one kind of head sees its rows; `loss` returns a sum and how many it summed."""

    examples: Callable[[Sequence[dict[str, Any]]], list[Example]]
    batch: Callable[[list[Example]], tuple[Tensor, Tensor]]
    loss: LossFn


def answers(config: Config, tokenizer: Any, parts: Parts) -> Kind:
    """A model that answers: by 3.08 the loss counts in the assistant's turns alone."""
    part = parts["3.08"]
    pad = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id

    def examples(rows: Sequence[dict[str, Any]]) -> list[Example]:
        with parts.using("3.08"):
            return [part.build_example(row["messages"], tokenizer, config.data.max_length) for row in rows]

    def batch(chosen: list[Example]) -> tuple[Tensor, Tensor]:
        with parts.using("3.08"):
            padded = part.collate(chosen, pad)
            return torch.stack([padded["input_ids"], padded["attention_mask"]], dim=1), padded["labels"]

    def loss(logits: Tensor, labels: Tensor) -> tuple[Tensor, int]:
        count = int((labels[:, 1:] != -100).sum())
        return part.causal_lm_loss(logits.float(), labels) * count, count

    return Kind(examples, batch, loss)


def labels(config: Config, tokenizer: Any, names: Sequence[str]) -> Kind:
    """A classifier: one label for each text."""
    number_of = {name: number for number, name in enumerate(names)}
    pad = tokenizer.pad_token_id

    def examples(rows: Sequence[dict[str, Any]]) -> list[Example]:
        encoded = tokenizer([row["text"] for row in rows], truncation=True, max_length=config.data.max_length)
        numbers = [number_of[row["label"]] for row in rows]
        return [{"input_ids": ids, "label": label} for ids, label in zip(encoded["input_ids"], numbers, strict=True)]

    def batch(chosen: list[Example]) -> tuple[Tensor, Tensor]:
        longest = max(len(one["input_ids"]) for one in chosen)
        rows = [one["input_ids"] for one in chosen]
        ids = torch.tensor([row + [pad] * (longest - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        return torch.stack([ids, mask], dim=1), torch.tensor([one["label"] for one in chosen])

    def loss(logits: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        return F.cross_entropy(logits.float(), targets, reduction="sum"), len(targets)

    return Kind(examples, batch, loss)
