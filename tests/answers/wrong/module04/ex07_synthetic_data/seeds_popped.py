# names: seeds-shuffled
# breaks: "neither the list nor a record is changed"
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
    records: list[dict]
    calls: int
    malformed: int
    too_similar: int
    errors: int


def rouge_l(a: str, b: str) -> float:
    words_a, words_b = re.findall(r"\w+", a.lower()), re.findall(r"\w+", b.lower())
    total = len(words_a) + len(words_b)
    return 2 * LCSseq.similarity(words_a, words_b) / total if total else 0.0


def extract(reply: str):
    if "```" in reply:
        reply = reply.split("```")[1]
    positions = [i for i, sign in enumerate(reply) if sign in "{["]
    for position in positions:
        try:
            value, _ = json.JSONDecoder().raw_decode(reply, position)
        except json.JSONDecodeError:
            continue
        return value
    return None


def is_good(item) -> bool:
    if not isinstance(item, dict):
        return False
    return all(isinstance(item.get(key), str) and item[key] != "" for key in ("instruction", "output"))


def make_prompt(seeds: list[dict], rng: random.Random) -> str:
    rng.shuffle(seeds)
    shown = seeds[:3]
    lines = [json.dumps({"instruction": s["instruction"], "output": s["output"]}) for s in shown]
    return PROMPT.replace("{examples}", "\n".join(lines))


def generate_examples(
    llm: Callable[[str], str],
    seeds: list[dict],
    n: int,
    rng: random.Random,
    *,
    max_calls: int | None = None,
    retries: int = 2,
) -> Generated:
    if max_calls is None:
        max_calls = 10 * n
    records = []
    calls = malformed = too_similar = errors = 0
    while len(records) < n and calls < max_calls:
        prompt = make_prompt(seeds, rng)
        reply, failures = None, 0
        while reply is None and failures <= retries and calls < max_calls:
            calls += 1
            try:
                reply = llm(prompt)
            except Exception:
                failures += 1
        if reply is None:
            if failures > retries:
                errors += 1
            continue
        value = extract(reply)
        if value is None:
            malformed += 1
            continue
        items = value if isinstance(value, list) else [value]
        for item in items:
            if len(records) >= n:
                break
            if not is_good(item):
                malformed += 1
                continue
            others = [s["instruction"] for s in seeds] + [r["instruction"] for r in records]
            if max((rouge_l(item["instruction"], other) for other in others), default=0.0) >= 0.7:
                too_similar += 1
                continue
            records.append({"instruction": item["instruction"], "output": item["output"], "source": "synthetic"})
    return Generated(records, calls, malformed, too_similar, errors)
