# names: query-compared-loosely
# breaks: "Examples whose text equals the query after `strip()` and `casefold()` are left out"
import random
from collections import defaultdict
from collections.abc import Callable
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # For the annotation alone; nothing here loads transformers.
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
    def same(text):
        return " ".join(text.casefold().split()) == " ".join(query.casefold().split())

    candidates = [example for example in pool if not same(example["text"])]
    if similarity is not None:
        scored = [(similarity(query, e["text"]), e) for e in candidates]
        scored.sort(key=lambda pair: pair[0], reverse=True)
        chosen = [e for _, e in scored[:k]][::-1]
    else:
        groups = defaultdict(list)
        for e in candidates:
            groups[e["label"]].append(e)
        if rng is not None:
            for group in groups.values():
                rng.shuffle(group)
        rounds = zip_longest(*groups.values())
        chosen = [e for row in rounds for e in row if e is not None][:k]
        if rng is not None:
            rng.shuffle(chosen)

    def build(examples):
        messages = []
        for e in examples:
            messages.append({"role": "user", "content": e["text"]})
            messages.append({"role": "assistant", "content": e["label"]})
        return messages + [{"role": "user", "content": query}]

    def length(messages):
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return len(tokenizer(text, add_special_tokens=False).input_ids)

    if length(build([])) > max_tokens:
        raise ValueError("the query alone is too long")
    while length(build(chosen)) > max_tokens:
        chosen = chosen[1:]
    return build(chosen)
