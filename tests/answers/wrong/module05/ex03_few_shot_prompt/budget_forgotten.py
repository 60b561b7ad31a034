# names: budget-ignored
# breaks: "max_tokens: the most tokens of the chat"

import random
from collections import defaultdict
from collections.abc import Callable
from itertools import zip_longest
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
    groups = defaultdict(list)
    for example in pool:
        groups[example["label"]].append(example)
    groups = list(groups.values())
    if rng is not None:
        for group in groups:
            rng.shuffle(group)
        rng.shuffle(groups)
    rounds = zip_longest(*groups)
    chosen = [example for one in rounds for example in one if example is not None][:k]
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

    return _turns(chosen, query)
