"""5.07 · Judge pairs: let a model compare two answers in both orders, and trust it only when both verdicts agree.

A judge model often prefers the first answer, or the second, just because of its position.
"""

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
    """How `a` did over all items; `failures` counts replies, two for each item."""

    rate: float
    wins: int
    losses: int
    ties: int
    failures: int


def judge(llm: Callable[[str], str], question: str, a: str, b: str) -> Judgement:
    """Ask a model twice which of two texts answers the question better, with each text first once.

    Args:
        llm: takes a prompt and returns a reply. It may raise any `Exception`.
        question, a, b: any texts, even with braces and brackets in them; a and b may be equal.

    Returns:
        A `Judgement`. The llm is called exactly twice, whatever it returns or raises: with
        `PROMPT.format(question=question, first=a, second=b)`, then with a and b swapped.

        The last `[[A]]`, `[[B]]` or `[[C]]` of a reply, in exactly these letters, is its verdict: the first text
        of its prompt is better, the second is, or neither is. A reply without any of them is a failure, and so is
        a call that raises.

        `winner` is "a" or "b" if both replies name that text, and "tie" otherwise: if they contradict each
        other, if either says neither, or if either is a failure. `failures` is how many of the two are
        failures.

    Method: Zheng et al., Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena (2023), sections 3.3 and 3.4,
    https://arxiv.org/abs/2306.05685
    """
    # BEGIN SOLUTION: ask in both orders, compare the texts that the replies name, count the failures.
    verdicts = [_ask(llm, question, a, b), _ask(llm, question, b, a)]
    winners = {("A", "B"): "a", ("B", "A"): "b"}  # In the second prompt A is b.
    return Judgement(winners.get(tuple(verdicts), "tie"), verdicts.count(None))
    # END SOLUTION


# BEGIN SOLUTION
def _ask(llm: Callable[[str], str], question: str, first: str, second: str) -> str | None:
    """The letter of the last mark in the reply, or None."""
    try:
        reply = llm(PROMPT.format(question=question, first=first, second=second))
    except Exception:  # Any one: a lost connection, a rate limit, a refusal.
        return None
    marks = re.findall(r"\[\[([ABC])\]\]", reply)
    return marks[-1] if marks else None


# END SOLUTION
def win_rate(llm: Callable[[str], str], items: list[tuple[str, str, str]]) -> WinRate:
    """Judge all items and return how often a is better.

    Args:
        llm: as for `judge`.
        items: `(question, a, b)` each; not changed.

    Returns:
        A `WinRate`: a's `wins`, `losses` and `ties`, which add up to the number of items; `rate` is
        (wins + ties / 2) / number of items; `failures` is the sum of the failures of all judgments. An item
        with failed replies is a tie like any other. Items are judged in their order, each once, one at a time.

    Raises:
        ValueError: if there are no items.
    """
    # BEGIN SOLUTION: judge each item, count the winners, give half a win for a tie.
    if not items:
        raise ValueError("there are no items to judge")
    judgments = [judge(llm, *item) for item in items]
    winners = [judgment.winner for judgment in judgments]
    wins, losses, ties = (winners.count(name) for name in ("a", "b", "tie"))
    failures = sum(judgment.failures for judgment in judgments)
    return WinRate((wins + ties / 2) / len(items), wins, losses, ties, failures)
    # END SOLUTION
