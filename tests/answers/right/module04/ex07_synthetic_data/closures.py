"""Closures over the counts; JSON that is read with strict=False, so that a line end may stand in a string."""

import json
import random
import re
from collections.abc import Callable, Iterator
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


def generate_examples(
    llm: Callable[[str], str],
    seeds: list[dict],
    n: int,
    rng: random.Random,
    *,
    max_calls: int | None = None,
    retries: int = 2,
) -> Generated:
    """Let a model write up to n new examples in the style of the seeds, and keep those that are new.

    Args:
        llm: takes a prompt and returns the model's reply, a text. It may raise any Exception, and its replies
            may be malformed most of the time or repeat themselves forever.
        seeds: at least one record {"instruction": str, "output": str}; neither the list nor a record is changed.
        n: how many records are wanted; 0 or more. With 0, llm is never called.
        rng: the only source of randomness: the same seeds, replies and state of rng give the same prompts.
        max_calls: the largest number of calls of llm, including retries; 10 * n if it is None.
        retries: how often a prompt is tried again after an exception.

    Each prompt is `PROMPT` with examples in it: 3 different seeds drawn with rng (all of them if there are
    fewer), their instructions and outputs word for word, as JSON or as plain text. The examples are drawn again for
    each prompt; a retry repeats the prompt.

    A reply holds one JSON object, or a list of them, bare or inside its first ``` fence, with any text around it.
    If there is other JSON before it, such as `[1]`, either may be taken. The strings may contain braces, but no fences.
    An object is a record if its "instruction" and "output" are strings that are not empty; a string of white space may
    count as empty. Other keys are dropped. A reply is data: no part of it is ever executed.

    A record is dropped as too similar if the ROUGE-L F of its instruction with that of a seed, or of a record
    accepted before it, is 0.7 or more.

    The function stops as soon as n records are accepted, ignoring the rest of that reply, or after max_calls calls.
    Fewer than n records are not an error.

    Returns:
        - `records`: {"instruction", "output", "source": "synthetic"} each, in the order of acceptance.
        - `calls`: all calls of llm, including those that raised.
        - `malformed`: replies without a JSON object or list (`[]` is a list), and objects that are not records, each
            counted once.
        - `too_similar`: records dropped for that reason.
        - `errors`: prompts given up after an exception in every one of their 1 + retries calls, each counted once.

    Method: Wang and others, Self-Instruct (2023), section 2, https://arxiv.org/abs/2212.10560
    """
    limit = max_calls if max_calls is not None else n * 10
    stats, kept = {"calls": 0, "malformed": 0, "too_similar": 0, "errors": 0}, []

    def replies():
        while stats["calls"] < limit:
            chosen = rng.sample(range(len(seeds)), k=min(len(seeds), 3))
            prompt = PROMPT.format(examples=json.dumps([seeds[i] for i in chosen], indent=1, ensure_ascii=False))
            for attempt in range(retries + 1):
                if stats["calls"] >= limit:
                    return
                stats["calls"] += 1
                try:
                    answer = llm(prompt)
                except Exception:
                    stats["errors"] += attempt == retries
                else:
                    yield answer
                    break

    def candidates():
        for reply in replies():
            fence = re.search("```(?:json|JSON)?\\s*(.*?)```", reply, re.S)
            body = fence[1] if fence else reply
            starts = [m.start() for m in re.finditer(r"[{\[]", body)]
            value = None
            for s in starts:
                try:
                    value, _ = json.JSONDecoder(strict=False).raw_decode(body, s)
                    break
                except json.JSONDecodeError:
                    pass
            if value is None:
                stats["malformed"] += 1
            else:
                yield from value if isinstance(value, list) else (value,)

    if n == 0:
        return Generated([], **stats)
    for c in candidates():
        a, b = (c.get("instruction"), c.get("output")) if isinstance(c, dict) else (None, None)
        if not (isinstance(a, str) and isinstance(b, str) and a and b):
            stats["malformed"] += 1
        elif max(rouge_l(a, o["instruction"]) for o in seeds + kept) >= 0.7:
            stats["too_similar"] += 1
        else:
            kept.append({"instruction": a, "output": b, "source": "synthetic"})
            if len(kept) == n:
                break
    return Generated(records=kept, **stats)


# Given: written for this course.
SEEDS = [
    {"instruction": "Name the capital of Portugal.", "output": "Lisbon"},
    {
        "instruction": "Turn this sentence into a question: The shop closes at nine.",
        "output": "When does the shop close?",
    },
    {"instruction": "Give an antonym of the word generous.", "output": "stingy"},
    {"instruction": "How many minutes are three hours?", "output": "180"},
    {"instruction": "Correct the spelling: I recieved the letter.", "output": "I received the letter."},
    {
        "instruction": "Write a headline for an article about a late train.",
        "output": "Passengers Wait Two Hours in the Rain",
    },
    {"instruction": "List three things one needs to bake bread.", "output": "flour, water, yeast"},
    {"instruction": "Which is heavier, a kilogram of iron or two kilograms of feathers?", "output": "The feathers."},
]


def report(generated: Generated) -> Iterator[str]:
    """Given: the yield, line by line."""
    yield f"{generated.calls} calls, {len(generated.records)} records accepted"
    yield f"{generated.malformed} malformed, {generated.too_similar} too similar, {generated.errors} given up"


def main() -> None:
    """Given: ask a real model, show each call as it comes, report the yield, save the records as JSONL."""
    import argparse
    from pathlib import Path

    from rich.progress import Progress

    from tunelings.handson import llm, models

    options = argparse.ArgumentParser(description="Let a model write new examples.")
    options.add_argument("--model", default="smollm2", help="a model of the course, or the folder of another")
    options.add_argument("--url", help="a server that speaks OpenAI's chat protocol, such as http://localhost:8000/v1")
    options.add_argument("--name", default="default", help="the model's name on that server")
    options.add_argument("-n", type=int, default=10, help="how many records are wanted")
    options.add_argument("--max-calls", type=int, default=30)
    chosen = options.parse_args()
    try:
        ask = llm.on_server(chosen.url, chosen.name) if chosen.url else llm.local(models.find(chosen.model))
    except FileNotFoundError as missing:
        raise SystemExit(str(missing)) from None
    with Progress() as progress:
        bar = progress.add_task("calls", total=chosen.max_calls)

        def counted(prompt: str) -> str:
            progress.advance(bar)
            return ask(prompt)

        generated = generate_examples(counted, SEEDS, chosen.n, random.Random(0), max_calls=chosen.max_calls)
    print("\n".join(report(generated)))
    path = Path("runs/synthetic.jsonl")
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in generated.records), encoding="utf-8")
    print(f"saved {path}")


if __name__ == "__main__":
    main()
