# names: several-marks-are-a-failure
# breaks: "in exactly these letters, is its verdict"
# Takes a reply with two different marks for one that cannot be read.
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
    return marks[-1] if len(set(marks)) == 1 else None


def judge(llm, question, a, b):
    first, second = ask(llm, question, a, b), ask(llm, question, b, a)
    failures = (first is None) + (second is None)
    if first == "A" and second == "B":
        return Judgement("a", failures)
    if first == "B" and second == "A":
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
