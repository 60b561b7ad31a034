"""A verdict as data, for those who show it and must not import pytest or torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """What the checks said of one answer.

    state: "passed", "failed", "not started" or "in progress".
    checks: the outcome of each check that ran, in order.
    text: the explained failure; empty when all passed.
    """

    number: str
    state: str
    checks: dict[str, str]
    text: str = ""
