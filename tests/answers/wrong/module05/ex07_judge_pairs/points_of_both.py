# names: half-agreement-wins
# breaks: "if either says neither"
# Adds up points over both orders, so that one reply is enough to win, also where the other one failed.
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
    points = {"a": 0, "b": 0}
    failures = 0
    for x, y, names in ((a, b, "ab"), (b, a, "ba")):
        letter = ask(llm, question, x, y)
        if letter is None:
            failures += 1
        elif letter in "AB":
            points[names["AB".index(letter)]] += 1
    if points["a"] > points["b"]:
        return Judgement("a", failures)
    if points["b"] > points["a"]:
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
