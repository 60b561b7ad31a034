# names: unlisted
# breaks: "An item with failed replies is a tie like any other."
# Five failed calls are one too many: the judge is taken to be down.
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
    winner: Literal["a", "b", "tie"]
    failures: int


class WinRate(NamedTuple):
    rate: float
    wins: int
    losses: int
    ties: int
    failures: int


def letter(llm, prompt):
    try:
        reply = llm(prompt)
    except Exception:
        return ""
    places = {reply.rfind(f"[[{name}]]"): name for name in "ABC"}
    last = max(places)
    return places[last] if last >= 0 else ""


def judge(llm, question, a, b):
    one = letter(llm, PROMPT.format(question=question, first=a, second=b))
    two = letter(llm, PROMPT.format(question=question, first=b, second=a))
    match one + "/" + two:
        case "A/B":
            winner = "a"
        case "B/A":
            winner = "b"
        case _:
            winner = "tie"
    return Judgement(winner=winner, failures=(not one) + (not two))


def win_rate(llm, items):
    if len(items) == 0:
        raise ValueError("no items")
    counts = {"a": 0, "b": 0, "tie": 0}
    failures = 0
    for item in items:
        winner, failed = judge(llm, *item)
        counts[winner] += 1
        failures += failed
        if failures >= 5:
            raise RuntimeError("the judge is down")
    rate = (2 * counts["a"] + counts["tie"]) / (2 * len(items))
    return WinRate(rate, counts["a"], counts["b"], counts["tie"], failures)
