"""Finds the closing bracket by hand, skips JSON in which there are no objects; generators of replies and of pairs."""

import json
import random
import re
from collections.abc import Callable
from typing import NamedTuple

from rapidfuzz.distance import LCSseq

PROMPT = """Here are some tasks with their answers, as JSON:

{examples}

Write one new task with its answer. It must be different from all of them. Reply with one JSON object with the keys
"instruction" and "output", and nothing else."""


class Generated(NamedTuple):
    """What came out: the records, and what became of the rest."""

    records: list[dict]
    calls: int
    malformed: int
    too_similar: int
    errors: int


def rouge_l(a: str, b: str) -> float:
    """Given: ROUGE-L F of two texts, from 0 to 1, on their lower-case words (Lin, 2004)."""
    words_a, words_b = re.findall(r"\w+", a.lower()), re.findall(r"\w+", b.lower())
    total = len(words_a) + len(words_b)
    return 2 * LCSseq.similarity(words_a, words_b) / total if total else 0.0


def _closing(text, start):
    """The place after the bracket that closes the one at start, or None; brackets inside strings don't count."""
    depth, inside, escaped = 0, False, False
    for place in range(start, len(text)):
        letter = text[place]
        if inside:
            if escaped:
                escaped = False
            elif letter == "\\":
                escaped = True
            elif letter == '"':
                inside = False
        elif letter == '"':
            inside = True
        elif letter in "[{":
            depth += 1
        elif letter in "]}":
            depth -= 1
            if depth == 0:
                return place + 1
    return None


def _values(reply):
    if "```" in reply:
        inner = reply.split("```")[1]
        found = _values(inner)
        if found is not None:
            return found
    for start in (m.start() for m in re.finditer(r"\{|\[", reply)):
        end = _closing(reply, start)
        if end is None:
            continue
        try:
            value = json.loads(reply[start:end])
        except ValueError:
            continue
        values = [value] if isinstance(value, dict) else value
        if all(isinstance(v, dict) for v in values):
            return values
    return None


def generate_examples(
    llm: Callable[[str], str],
    seeds: list[dict],
    n: int,
    rng: random.Random,
    *,
    max_calls: int | None = None,
    retries: int = 2,
) -> Generated:
    counts = {"calls": 0, "malformed": 0, "errors": 0, "too_similar": 0}
    budget = n * 10 if max_calls is None else max_calls

    def replies():
        while counts["calls"] < budget:
            examples = rng.sample(list(seeds), min(3, len(seeds)))
            lines = (json.dumps({k: e[k] for k in ("instruction", "output")}, ensure_ascii=False) for e in examples)
            prompt = PROMPT.format(examples="\n".join(lines))
            for left in range(retries, -1, -1):
                if counts["calls"] >= budget:
                    return
                counts["calls"] += 1
                try:
                    yield llm(prompt)
                except Exception:
                    counts["errors"] += left == 0
                else:
                    break

    def candidates():
        for reply in replies():
            values = _values(reply)
            if values is None:
                counts["malformed"] += 1
                continue
            for value in values:
                pair = (value.get("instruction"), value.get("output"))
                if all(isinstance(side, str) and side for side in pair):
                    yield pair
                else:
                    counts["malformed"] += 1

    accepted = []
    if n > 0:
        for instruction, output in candidates():
            before = [r["instruction"] for r in [*seeds, *accepted]]
            if max(rouge_l(instruction, other) for other in before) < 0.7:
                accepted.append({"instruction": instruction, "output": output, "source": "synthetic"})
                if len(accepted) == n:
                    break
            else:
                counts["too_similar"] += 1
    return Generated(records=accepted, **counts)
