"""How good an answer is: by 5.01, or by whether it holds a right answer."""

from __future__ import annotations

import functools
import json
import statistics
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from tunelings.project.config import Config
from tunelings.project.parts import Parts

WORDS = 3  # up to this many words, an answer is right or wrong as a whole


def scores(
    config: Config,
    answers: Sequence[str],
    rows: Sequence[dict[str, Any]],
    parts: Parts,
    labels: Iterable[str] = (),
) -> list[float]:
    """One number from 0 to 1 for each row, by the metric of the settings; `labels` are those of the training part."""
    if config.compare.metric == "contains":
        from tunelings.handson.pydocs import grade

        return [grade(answer, row["answers"]) for answer, row in zip(answers, rows, strict=True)]
    with parts.using("5.01") as metrics:
        score = getattr(metrics, config.compare.metric)
        if config.data.kind == "labels":
            right = Labels(score, {*labels, *(row["label"] for row in rows)}).right
            return [right(answer, row["label"]) for answer, row in zip(answers, rows, strict=True)]
        return [float(score(answer, row["answers"])) for answer, row in zip(answers, rows, strict=True)]


class Labels:
    """Labels told apart: 5.01's normal form takes -1 for 1, C# for C++, and an empty answer for a."""

    def __init__(self, score: Callable[[str, list[str]], float], names: Collection[str]):
        self.score, self.names = score, {name.strip() for name in names}
        self.clashes = functools.cache(self._clashes)

    def _clashes(self, label: str) -> bool:
        return any(self.score(other, [label]) for other in ({"", *self.names} - {label}))

    def right(self, answer: str, label: str) -> float:
        """1.0 where the answer is this label: by 5.01, or to the letter where 5.01 takes another one for it."""
        said, label = answer.strip(), label.strip()
        if said in self.names or self.clashes(label):
            return float(said == label)
        return float(self.score(answer, [label]))


def metric_for(kind: str, answers: Sequence[str]) -> tuple[str, str]:
    """The metric that suits such answers, and why."""
    if kind == "labels":
        return "exact_match", "a label is right or wrong"
    words = statistics.median(len(answer.split()) for answer in answers)
    if words <= WORDS or all(is_json(answer) for answer in answers):
        return "exact_match", "short answers, or lines of JSON: right or wrong as a whole"
    return "token_f1", f"answers of {words:g} words (median): the share of words in common"


def is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False
