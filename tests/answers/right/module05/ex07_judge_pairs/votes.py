"""Turns each letter into the text that it names and compares the two votes; one loop over both orders."""

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
    votes, failures = [], 0
    for swapped in (False, True):
        first, second = (b, a) if swapped else (a, b)
        prompt = PROMPT.format(question=question, first=first, second=second)
        try:
            found = re.findall(r"\[\[(A|B|C)\]\]", llm(prompt))
            letter = found[-1]
        except Exception:
            failures += 1
            votes.append("tie")
            continue
        if letter == "C":
            votes.append("tie")
        else:
            votes.append("a" if (letter == "A") != swapped else "b")
    return Judgement(votes[0] if votes[0] == votes[1] else "tie", failures)


def win_rate(llm, items):
    if len(items) == 0:
        raise ValueError("win_rate needs at least one item")
    points = wins = losses = ties = failures = 0
    for question, a, b in items:
        winner, failed = judge(llm, question, a, b)
        failures += failed
        if winner == "a":
            wins += 1
            points += 1
        elif winner == "b":
            losses += 1
        else:
            ties += 1
            points += 0.5
    return WinRate(points / len(items), wins, losses, ties, failures)
