# names: remainder-lost
# breaks: "No label has two more examples than another label that still has some to give."
# Each label gives k // labels, and nothing makes up for the rest or for a label that runs out.

import random
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # For the annotation alone; nothing here loads transformers.
    from transformers import PreTrainedTokenizerBase


def _norm(text):
    return text.strip().casefold()


def _turns(examples, query):
    messages = []
    for example in examples:
        messages.append({"role": "user", "content": example["text"]})
        messages.append({"role": "assistant", "content": example["label"]})
    messages.append({"role": "user", "content": query})
    return messages


def _nearest(query, pool, k, similarity):
    ranked = sorted(pool, key=lambda example: similarity(query, example["text"]), reverse=True)
    return ranked[:k][::-1]


def _balanced(pool, k, rng):
    by_label = defaultdict(list)
    for example in pool:
        by_label[example["label"]].append(example)
    quota = k // max(1, len(by_label))
    chosen = []
    for examples in by_label.values():
        if rng is None:
            chosen += examples[:quota]
        else:
            chosen += rng.sample(examples, min(quota, len(examples)))
    if rng is not None:
        rng.shuffle(chosen)
    return chosen


def _size(tokenizer, messages):
    return len(tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"])


def build_prompt(
    query: str,
    pool: list[dict],
    k: int,
    tokenizer: "PreTrainedTokenizerBase",
    max_tokens: int,
    *,
    similarity: Callable[[str, str], float] | None = None,
    rng: random.Random | None = None,
) -> list[dict]:
    rest = [example for example in pool if _norm(example["text"]) != _norm(query)]
    if similarity is not None:
        chosen = _nearest(query, rest, k, similarity)
    else:
        chosen = _balanced(rest, k, rng)

    while _size(tokenizer, _turns(chosen, query)) > max_tokens:
        if not chosen:
            raise ValueError("the query alone is too long")
        chosen = chosen[1:]
    return _turns(chosen, query)
