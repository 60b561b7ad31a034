# names: casefold-by-hand
# breaks: "Examples whose text equals the query after `strip()` and `casefold()` are left out"
import random
from collections import defaultdict
from collections.abc import Callable
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


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
    others = [item for item in pool if _normal(item["text"]) != _normal(query)]
    if similarity is None:
        chosen = _balanced(others, k, rng)
    else:
        ranked = sorted(others, key=lambda item: similarity(query, item["text"]), reverse=True)
        chosen = ranked[:k][::-1]
    while True:
        messages = []
        for item in chosen:
            messages.append({"role": "user", "content": item["text"]})
            messages.append({"role": "assistant", "content": item["label"]})
        messages.append({"role": "user", "content": query})
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        length = len(tokenizer(text, add_special_tokens=False)["input_ids"])
        if length <= max_tokens:
            return messages
        if not chosen:
            raise ValueError(f"the query alone has {length} tokens, and max_tokens is {max_tokens}")
        chosen = chosen[1:]


def _normal(text: str) -> str:
    return text.strip().lower().replace("ß", "ss")


def _balanced(pool: list[dict], k: int, rng: random.Random | None) -> list[dict]:
    if rng is not None:
        pool = rng.sample(pool, len(pool))
    by_label = defaultdict(list)
    for item in pool:
        by_label[item["label"]].append(item)
    rounds = zip_longest(*by_label.values())
    chosen = [item for one_of_each in rounds for item in one_of_each if item is not None][:k]
    if rng is not None:
        rng.shuffle(chosen)
    return chosen
