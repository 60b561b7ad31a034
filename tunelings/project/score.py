"""How good an answer is: by 5.01, or by whether it holds a right answer."""

from __future__ import annotations

import json
import statistics
from collections.abc import Collection, Sequence
from typing import Any

from tunelings.project.config import Config
from tunelings.project.parts import Parts

WORDS = 3  # up to this many words, an answer is right or wrong as a whole


def scores(config: Config, answers: Sequence[str], rows: Sequence[dict[str, Any]], parts: Parts) -> list[float]:
    """One number from 0 to 1 for each row, by the metric of the settings."""
    if config.compare.metric == "contains":
        from tunelings.handson.pydocs import grade

        return [grade(answer, row["answers"]) for answer, row in zip(answers, rows, strict=True)]
    with parts.using("5.01") as metrics:
        score = getattr(metrics, config.compare.metric)
        if config.data.kind == "labels":
            names = {row["label"] for row in rows}
            pairs = zip(answers, rows, strict=True)
            return [
                float(score(answer, [row["label"]])) * is_label(answer, row["label"], names) for answer, row in pairs
            ]
        return [float(score(answer, row["answers"])) for answer, row in zip(answers, rows, strict=True)]


def is_label(answer: str, label: str, names: Collection[str]) -> bool:
    """Whether it says this label, apart from case, quotes and a period; 5.01 alone takes -1 for 1, and C# for C++."""
    said, label = answer.strip(), label.strip()
    if said == label or said in names:
        return said == label
    return label.casefold() in (said.casefold(), said.strip("\"'`").removesuffix(".").casefold())


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
