# names: one-share-for-f
# breaks: "A record is dropped as too similar if the ROUGE-L F"
import json
import re
from typing import NamedTuple

from rapidfuzz.distance import LCSseq


class Generated(NamedTuple):
    records: list
    calls: int
    malformed: int
    too_similar: int
    errors: int


def score(a, b):
    a, b = re.findall(r"\w+", a.lower()), re.findall(r"\w+", b.lower())
    return 2 * LCSseq.similarity(a, b) / (2 * len(a))


def find_json(reply):
    found = re.search(r"```(?:json)?(.*?)```", reply, re.DOTALL)
    if found:
        reply = found.group(1)
    decoder = json.JSONDecoder()
    for i, c in enumerate(reply):
        if c in "{[":
            try:
                return decoder.raw_decode(reply[i:])[0]
            except ValueError:
                pass
    return None


def generate_examples(llm, seeds, n, rng, *, max_calls=None, retries=2):
    if max_calls is None:
        max_calls = 10 * n
    out, calls, bad, near, failed = [], 0, 0, 0, 0
    while len(out) < n and calls < max_calls:
        chosen = rng.sample(seeds, k=min(3, len(seeds)))
        prompt = "Write one more as JSON:\n" + "\n".join(f"{s['instruction']} -> {s['output']}" for s in chosen)
        reply, tries = None, 0
        while reply is None and tries < retries + 1 and calls < max_calls:
            tries += 1
            calls += 1
            try:
                reply = llm(prompt)
            except Exception:
                pass
        if reply is None:
            failed += tries == retries + 1
            continue
        data = find_json(reply)
        if data is None:
            bad += 1
            continue
        if isinstance(data, dict):
            data = [data]
        for d in data:
            if len(out) == n:
                break
            q, a = (d.get("instruction"), d.get("output")) if isinstance(d, dict) else (None, None)
            if not isinstance(q, str) or not isinstance(a, str) or not q or not a:
                bad += 1
            elif any(score(q, s["instruction"]) >= 0.7 for s in seeds + out):
                near += 1
            else:
                out.append({"instruction": q, "output": a, "source": "synthetic"})
    return Generated(out, calls, bad, near, failed)
