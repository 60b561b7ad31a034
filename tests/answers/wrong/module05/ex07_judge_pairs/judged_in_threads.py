# names: items-at-once
# breaks: "Items are judged in their order, each once, one at a time."
# Four items are judged at a time.

"""5.07 · Judge pairs: let a model compare two answers in both orders, believe it where it agrees with itself.

A judge that is a model likes the first answer, or the second one, for no reason but its place.
"""

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
    """The better one of two texts, and how many of the two replies could not be used."""

    winner: Literal["a", "b", "tie"]
    failures: int


class WinRate(NamedTuple):
    """The result of a over all items; `failures` counts replies, of which each item has two."""

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
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda item: judge(llm, *item), items))
    for winner, failed in done:
        counts[winner] += 1
        failures += failed
    return WinRate(
        rate=(2 * counts["a"] + counts["tie"]) / (2 * len(items)),
        wins=counts["a"],
        losses=counts["b"],
        ties=counts["tie"],
        failures=failures,
    )
