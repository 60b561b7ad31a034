# names: lists-inside-objects-used
# breaks: "An object is a record if its"
# An object with one key that holds a list is unwrapped.
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


def parse_reply(reply: str):
    fence = re.search(r"```\w*\s*(.*?)```", reply, flags=re.DOTALL)
    text = fence[1] if fence else reply
    for start in (match.start() for match in re.finditer(r"[{\[]", text)):
        try:
            return json.JSONDecoder().raw_decode(text, start)[0]
        except json.JSONDecodeError:
            continue
    return None


def is_record(item) -> bool:
    texts = [item.get("instruction"), item.get("output")] if isinstance(item, dict) else [None]
    return all(isinstance(text, str) and text.strip() for text in texts)


def generate_examples(
    llm: Callable[[str], str],
    seeds: list[dict],
    n: int,
    rng: random.Random,
    *,
    max_calls: int | None = None,
    retries: int = 2,
) -> Generated:
    budget = 10 * n if max_calls is None else max_calls
    records, known = [], [seed["instruction"] for seed in seeds]
    calls = malformed = too_similar = errors = 0
    while len(records) < n and calls < budget:
        drawn = rng.sample(seeds, min(3, len(seeds)))
        prompt = PROMPT.format(examples="\n".join(json.dumps(seed, ensure_ascii=False) for seed in drawn))
        reply = None
        for _ in range(1 + retries):
            if calls == budget:
                break  # The calls are used up before the retries: not given up.
            calls += 1
            try:
                reply = llm(prompt)
                break
            except Exception:
                continue
        else:
            errors += 1
        if reply is None:
            continue
        found = parse_reply(reply)
        if found is None:
            malformed += 1
            continue
        if isinstance(found, dict) and "instruction" not in found and len(found) == 1:
            (inner,) = found.values()
            found = inner if isinstance(inner, list) else found
        for item in found if isinstance(found, list) else [found]:
            if len(records) == n:
                break
            if not is_record(item):
                malformed += 1
            elif any(rouge_l(item["instruction"], other) >= 0.7 for other in known):
                too_similar += 1
            else:
                known.append(item["instruction"])
                record = {"instruction": item["instruction"], "output": item["output"], "source": "synthetic"}
                records.append(record)
    return Generated(records, calls, malformed, too_similar, errors)
