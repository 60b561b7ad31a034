# names: one-try-for-both-calls
# breaks: "`failures` is how many of the two are failures"
# One try around both calls: where the first one raises, the second is never made.
import re
from typing import NamedTuple

PROMPT = """Which of two answers to a question is better? Do not let their order or their length decide.

Question: {question}

Answer A:
{first}

Answer B:
{second}

Compare the two in one or two sentences. Then end with [[A]] if answer A is better, with [[B]] if answer B is
better, or with [[C]] if they are equally good."""


class Judgement(NamedTuple):
    winner: str
    failures: int


class WinRate(NamedTuple):
    rate: float
    wins: int
    losses: int
    ties: int
    failures: int


def judge(llm, question, a, b):
    try:
        replies = [llm(PROMPT.format(question=question, first=x, second=y)) for x, y in ((a, b), (b, a))]
    except Exception:
        return Judgement("tie", 1)
    letters = [re.findall(r"\[\[([ABC])\]\]", reply)[-1:] for reply in replies]
    failures = letters.count([])
    if letters == [["A"], ["B"]]:
        return Judgement("a", failures)
    if letters == [["B"], ["A"]]:
        return Judgement("b", failures)
    return Judgement("tie", failures)


def win_rate(llm, items):
    if not items:
        raise ValueError("no items")
    results = [judge(llm, q, a, b) for q, a, b in items]
    wins = sum(r.winner == "a" for r in results)
    losses = sum(r.winner == "b" for r in results)
    ties = len(results) - wins - losses
    return WinRate((wins + 0.5 * ties) / len(results), wins, losses, ties, sum(r.failures for r in results))
