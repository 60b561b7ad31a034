"""A generator of items with counters, early return."""

import collections
import json
import re

from rapidfuzz.distance import LCSseq

Generated = collections.namedtuple("Generated", "records calls malformed too_similar errors")
DECODER = json.JSONDecoder()


def decode(reply):
    match = re.search(r"```.*?\n(.*?)```", reply, re.DOTALL)
    body = match.group(1) if match else reply
    position = 0
    while True:
        opening = re.compile(r"[\[{]").search(body, position)
        if opening is None:
            return ["nothing"]
        try:
            value, _ = DECODER.raw_decode(body, opening.start())
        except json.JSONDecodeError:
            position = opening.start() + 1
        else:
            return value if isinstance(value, list) else [value]


def generate_examples(llm, seeds, n, rng, *, max_calls=None, retries=2):
    tally = collections.Counter()
    budget = 10 * n if max_calls is None else max_calls

    def items():
        while tally["calls"] < budget:
            picked = rng.sample(range(len(seeds)), k=min(3, len(seeds)))
            prompt = "Examples:\n" + "".join(f"- {seeds[i]['instruction']} => {seeds[i]['output']}\n" for i in picked)
            for attempt in range(retries + 1):
                if tally["calls"] == budget:
                    return
                tally["calls"] += 1
                try:
                    reply = llm(prompt)
                except Exception:
                    if attempt == retries:
                        tally["errors"] += 1
                    continue
                yield from decode(reply)
                break

    records = []
    tokens = [re.findall(r"\w+", seed["instruction"].lower()) for seed in seeds]
    stream = items()
    while len(records) < n:
        item = next(stream, None)
        if item is None:
            break
        pair = [item.get(key) for key in ("instruction", "output")] if isinstance(item, dict) else []
        if len([text for text in pair if isinstance(text, str) and text.strip()]) < 2:
            tally["malformed"] += 1
            continue
        mine = re.findall(r"\w+", pair[0].lower())
        scores = [2 * LCSseq.similarity(mine, other) / (len(mine) + len(other) or 1) for other in tokens]
        if any(score >= 0.7 for score in scores):
            tally["too_similar"] += 1
            continue
        tokens.append(mine)
        records.append({"instruction": pair[0], "output": pair[1], "source": "synthetic"})
    return Generated(records, tally["calls"], tally["malformed"], tally["too_similar"], tally["errors"])
