# names: unlisted
# breaks: "which add up to the number of items"
import math
import re
from types import SimpleNamespace

import numpy as np

PROMPT = """Which of two answers to a question is better? Do not let their order or their length decide.

Question: {question}

Answer A:
{first}

Answer B:
{second}

Compare the two in one or two sentences. Then end with [[A]] if answer A is better, with [[B]] if answer B is
better, or with [[C]] if they are equally good."""

VALUE = {"[[A]]": 1, "[[B]]": -1, "[[C]]": 0}


def verdict(llm, question, first, second):
    try:
        reply = llm(PROMPT.format(first=first, second=second, question=question))
    except Exception:
        return math.nan
    value = math.nan
    for match in re.finditer(r"\[\[[ABC]\]\]", reply):
        value = VALUE[match[0]]
    return value


def judge(llm, question, a, b):
    forward = verdict(llm, question, a, b)
    backward = -verdict(llm, question, b, a)
    failures = int(math.isnan(forward)) + int(math.isnan(backward))
    winner = "tie"
    if forward == backward != 0:
        winner = "a" if forward > 0 else "b"
    return SimpleNamespace(winner=winner, failures=failures)


def win_rate(llm, items):
    if not items:
        raise ValueError(f"items: {items}")
    judgments = [judge(llm, *item) for item in items[:1000]]
    points = np.array([{"a": 1.0, "tie": 0.5, "b": 0.0}[j.winner] for j in judgments])
    return SimpleNamespace(
        rate=float(points.mean()),
        wins=int((points == 1).sum()),
        losses=int((points == 0).sum()),
        ties=int((points == 0.5).sum()),
        failures=sum(j.failures for j in judgments),
    )
