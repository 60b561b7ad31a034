# names: long-texts-cut
# breaks: "any texts, even with braces and brackets in them; a and b may be equal"
# Of a long answer only the beginning is shown.
import re
from collections.abc import Callable
from typing import Literal, NamedTuple

PROMPT = """Which of two answers to a question is better? Do not let their order or their length decide.

Question: {question}

Answer A:
{first}

Answer B:
{second}

Compare the two in one or two sentences. Then end with [[A]] if answer A is better, with [[B]] if answer B is
better, or with [[C]] if they are equally good."""


class Judgement(NamedTuple):
    """The better of two texts, and how many of the two replies could not be used."""

    winner: Literal["a", "b", "tie"]
    failures: int


class WinRate(NamedTuple):
    """How a did over all items; `failures` counts replies, two for each item."""

    rate: float
    wins: int
    losses: int
    ties: int
    failures: int


def judge(llm: Callable[[str], str], question: str, a: str, b: str) -> Judgement:
    verdicts = [_ask(llm, question, a, b), _ask(llm, question, b, a)]
    winners = {("A", "B"): "a", ("B", "A"): "b"}  # In the second prompt A is b.
    return Judgement(winners.get(tuple(verdicts), "tie"), verdicts.count(None))


def _ask(llm: Callable[[str], str], question: str, first: str, second: str) -> str | None:
    """The letter of the last mark in the reply, or None."""
    try:
        reply = llm(PROMPT.format(question=question, first=first[:4000], second=second[:4000]))
    except Exception:  # Any one: a lost connection, a rate limit, a refusal.
        return None
    marks = re.findall(r"\[\[([ABC])\]\]", reply)
    return marks[-1] if marks else None


def win_rate(llm: Callable[[str], str], items: list[tuple[str, str, str]]) -> WinRate:
    if not items:
        raise ValueError("there are no items to judge")
    judgments = [judge(llm, *item) for item in items]
    winners = [judgment.winner for judgment in judgments]
    wins, losses, ties = (winners.count(name) for name in ("a", "b", "tie"))
    failures = sum(judgment.failures for judgment in judgments)
    return WinRate((wins + ties / 2) / len(items), wins, losses, ties, failures)
