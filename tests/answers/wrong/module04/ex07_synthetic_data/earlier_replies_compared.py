# names: one-reply-not-compared
# breaks: "or of a record accepted before it, is 0.7 or more"
# The records of one reply are compared only with those of earlier ones.

"""4.07 · Synthetic data: let a model write new examples from a few seeds, and throw away most of what it writes.

`python exercises/module04/ex07_synthetic_data.py` asks a real small model (minutes on a CPU) and reports the yield;
`--model PATH` takes another model, `--url URL --name NAME` any server that speaks OpenAI's chat protocol.
"""

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


def _found(reply):
    """The object or the list of objects in a reply, or None."""
    fence = re.search(r"```[^\n{\[]*(.*?)```", reply, re.S)
    decoder = json.JSONDecoder()
    nothing = None
    for text in ([fence.group(1)] if fence else []) + [reply]:
        for match in re.finditer(r"[{\[]", text):
            try:
                value, _ = decoder.raw_decode(text, match.start())
            except ValueError:
                continue
            if isinstance(value, dict):
                return [value]
            if value and all(isinstance(item, dict) for item in value):
                return value
            if value == []:
                nothing = []
    return nothing


def _is_record(item):
    return all(isinstance(item.get(name), str) and item[name].strip() for name in ("instruction", "output"))


def generate_examples(
    llm: Callable[[str], str],
    seeds: list[dict],
    n: int,
    rng: random.Random,
    *,
    max_calls: int | None = None,
    retries: int = 2,
) -> Generated:
    limit = 10 * n if max_calls is None else max_calls
    known = [seed["instruction"] for seed in seeds]
    records = []
    calls = malformed = too_similar = errors = 0
    while len(records) < n and calls < limit:
        drawn = rng.sample(seeds, min(3, len(seeds)))
        shown = [{"instruction": s["instruction"], "output": s["output"]} for s in drawn]
        prompt = PROMPT.format(examples=json.dumps(shown, ensure_ascii=False, indent=1))
        reply = None
        for attempt in range(1 + retries):
            if calls == limit:
                break
            calls += 1
            try:
                reply = llm(prompt)
                break
            except Exception:
                if attempt == retries:
                    errors += 1
        if reply is None:
            continue
        items = _found(reply)
        if items is None:
            malformed += 1
            continue
        before = list(known)
        for item in items:
            if len(records) == n:
                break
            if not _is_record(item):
                malformed += 1
            elif any(rouge_l(item["instruction"], other) >= 0.7 for other in before):
                too_similar += 1
            else:
                known.append(item["instruction"])
                records.append({"instruction": item["instruction"], "output": item["output"], "source": "synthetic"})
    return Generated(records, calls, malformed, too_similar, errors)
