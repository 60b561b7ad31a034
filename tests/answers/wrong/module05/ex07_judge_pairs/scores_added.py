# names: half-agreement-wins
# breaks: "if either says neither"
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


def ask(llm, question, first, second):
    try:
        reply = llm(PROMPT.format(question=question, first=first, second=second))
    except Exception:
        return None
    marks = re.findall(r"\[\[([ABC])\]\]", reply)
    return marks[-1] if marks else None


def judge(llm, question, a, b):
    value = {"A": 1, "B": -1, "C": 0}
    first, second = ask(llm, question, a, b), ask(llm, question, b, a)
    failures = (first is None) + (second is None)
    if failures:
        return Judgement("tie", failures)
    total = value[first] - value[second]
    return Judgement("a" if total > 0 else "b" if total < 0 else "tie", failures)


def win_rate(llm, items):
    if not items:
        raise ValueError("no items")
    results = [judge(llm, q, a, b) for q, a, b in items]
    wins = sum(r.winner == "a" for r in results)
    losses = sum(r.winner == "b" for r in results)
    ties = len(results) - wins - losses
    return WinRate((wins + 0.5 * ties) / len(results), wins, losses, ties, sum(r.failures for r in results))
