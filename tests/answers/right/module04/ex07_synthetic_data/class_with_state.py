"""A class that holds the counts; the retries as recursion."""

import json
import re
from dataclasses import dataclass, field

from rapidfuzz.distance import LCSseq


def words(text):
    return re.findall(r"\w+", text.lower())


@dataclass
class Generated:
    records: list = field(default_factory=list)
    calls: int = 0
    malformed: int = 0
    too_similar: int = 0
    errors: int = 0


class Spent(Exception):
    """No call is left."""


class Run:
    def __init__(self, llm, seeds, n, budget):
        self.llm, self.n, self.budget = llm, n, budget
        self.seen = [words(seed["instruction"]) for seed in seeds]
        self.out = Generated()

    @property
    def over(self):
        return self.out.calls >= self.budget or len(self.out.records) >= self.n

    def ask(self, prompt, tries):
        if self.out.calls >= self.budget:
            raise Spent
        self.out.calls += 1
        try:
            return self.llm(prompt)
        except Exception:
            if tries == 0:
                raise
        return self.ask(prompt, tries - 1)

    def take(self, item):
        question, reply = (item.get("instruction"), item.get("output")) if type(item) is dict else (0, 0)
        if not (type(question) is str and type(reply) is str and question.strip() and reply.strip()):
            self.out.malformed += 1
        elif any(self.near(words(question), other) for other in self.seen):
            self.out.too_similar += 1
        else:
            self.seen.append(words(question))
            self.out.records.append({"instruction": question, "output": reply, "source": "synthetic"})

    @staticmethod
    def near(a, b):
        return bool(a or b) and 2 * LCSseq.similarity(a, b) >= 0.7 * (len(a) + len(b))


def values(reply):
    fenced = re.findall(r"```[a-zA-Z]*\n?(.*?)```", reply, re.S)
    text = fenced[0] if fenced else reply
    decoder = json.JSONDecoder()
    for i in range(len(text)):
        if text[i] in "[{":
            try:
                value, _ = decoder.raw_decode(text[i:])
            except ValueError:
                continue
            return value if isinstance(value, list) else [value]


def generate_examples(llm, seeds, n, rng, *, max_calls=None, retries=2):
    run = Run(llm, seeds, n, max_calls if max_calls is not None else n * 10)
    while not run.over:
        some = list(seeds) if len(seeds) <= 3 else [seeds[i] for i in sorted(rng.sample(range(len(seeds)), 3))]
        prompt = "Make a new example like these:\n" + json.dumps(some, indent=1)
        try:
            found = values(run.ask(prompt, retries))
        except Spent:
            break
        except Exception:
            run.out.errors += 1
            continue
        if found is None:
            run.out.malformed += 1
        for item in found or ():
            if len(run.out.records) < n:
                run.take(item)
    return run.out
