# names: only-json-after-a-fence
# breaks: "inside its first ``` fence"
# Of the word behind the fence only json is known.

"""4.07 · Synthetic data: a model writes new examples from a few seeds, and most of what it writes is thrown away.

`python exercises/module04/ex07_synthetic_data.py` asks a real small model (minutes on a CPU) and reports the yield;
`--model PATH` takes another one, `--url URL --name NAME` any server that speaks OpenAI's chat protocol.
"""

import json
import re
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


FENCE = "`" * 3


def objects(reply):
    """The objects of a reply, or None."""
    decoder = json.JSONDecoder()
    parts = reply.split(FENCE)
    if len(parts) > 2:
        try:
            value = json.loads(parts[1].strip().removeprefix("json"))
        except ValueError:
            return None
        return value if isinstance(value, list) else [value] if isinstance(value, dict) else None
    places = []
    for text in [*places, reply]:
        at = 0
        while at < len(text):
            if text[at] in "[{":
                try:
                    value, end = decoder.raw_decode(text[at:])
                except ValueError:
                    pass
                else:
                    return value if isinstance(value, list) else [value]
            at += 1
    return None


def generate_examples(llm, seeds, n, rng, *, max_calls=None, retries=2):
    limit = max_calls if max_calls is not None else 10 * n
    records = []
    count = {"calls": 0, "malformed": 0, "too_similar": 0, "errors": 0}

    def ask(prompt):
        for attempt in range(retries + 1):
            if count["calls"] >= limit:
                return None
            count["calls"] += 1
            try:
                return llm(prompt)
            except Exception:
                if attempt == retries:
                    count["errors"] += 1
        return None

    while len(records) < n and count["calls"] < limit:
        shown = rng.sample(range(len(seeds)), k=min(len(seeds), 3))
        lines = "\n\n".join(f"Instruction: {seeds[i]['instruction']}\nOutput: {seeds[i]['output']}" for i in shown)
        reply = ask(PROMPT.replace("{examples}", lines))
        if reply is None:
            continue
        found = objects(reply)
        if found is None:
            count["malformed"] += 1
            continue
        for item in found:
            if len(records) >= n:
                break
            ok = isinstance(item, dict) and all(
                isinstance(item.get(k), str) and item[k] for k in ("instruction", "output")
            )
            if not ok:
                count["malformed"] += 1
                continue
            best = max((rouge_l(item["instruction"], r["instruction"]) for r in [*seeds, *records]), default=0)
            if best >= 0.7:
                count["too_similar"] += 1
                continue
            records.append({"instruction": item["instruction"], "output": item["output"], "source": "synthetic"})
    return Generated(records=records, **count)
