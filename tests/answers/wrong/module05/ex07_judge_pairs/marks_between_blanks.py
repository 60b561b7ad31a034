# names: marks-between-blanks
# breaks: "The last `[[A]]`, `[[B]]` or `[[C]]` of a reply"
from collections import Counter
from dataclasses import dataclass

PROMPT = """Which of two answers to a question is better? Do not let their order or their length decide.

Question: {question}

Answer A:
{first}

Answer B:
{second}

Compare the two in one or two sentences. Then end with [[A]] if answer A is better, with [[B]] if answer B is
better, or with [[C]] if they are equally good."""

MARKS = ("[[A]]", "[[B]]", "[[C]]")


@dataclass
class Judgement:
    winner: str
    failures: int


@dataclass(frozen=True)
class WinRate:
    rate: float
    wins: int
    losses: int
    ties: int
    failures: int


def last_mark(text):
    found = [word for word in text.replace("*", "").replace(".", " ").split() if word in MARKS]
    return found[-1][2] if found else "?"


def asked(llm, **fields):
    try:
        reply = llm(PROMPT.format_map(fields))
    except BaseException as error:
        if not isinstance(error, Exception):
            raise
        return "!"
    return last_mark(reply)


def judge(llm, question, a, b):
    pair = asked(llm, question=question, first=a, second=b) + asked(llm, question=question, first=b, second=a)
    failures = pair.count("?") + pair.count("!")
    match pair:
        case "AB":
            return Judgement("a", failures)
        case "BA":
            return Judgement("b", failures)
        case _:
            return Judgement("tie", failures)


def win_rate(llm, items):
    results = [judge(llm, question, a, b) for question, a, b in items]
    if not results:
        raise ValueError("no items")
    counted = Counter(result.winner for result in results)
    half_points = 2 * counted["a"] + counted["tie"]
    failures = sum(result.failures for result in results)
    return WinRate(half_points / (2 * len(results)), counted["a"], counted["b"], counted["tie"], failures)
