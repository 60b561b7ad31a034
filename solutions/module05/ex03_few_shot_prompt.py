"""5.03 · Few-shot prompt: choose examples, put them in order, stay within the budget.

A model that sees solved examples handles the next case the same way.
"""

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
    """Return the messages of a chat with k solved examples before the query.

    Args:
        query: the text that the model should label.
        pool: solved examples, `{"text": str, "label": str}` each, with any number of labels. Equal texts count
            separately.
        k: how many examples to show, 0 or more; of a smaller pool, all.
        tokenizer: one of transformers 5, whose chat template writes all the special tokens that it needs.
        max_tokens: the most tokens of the chat as the template renders it, with the generation prompt.
        similarity: `similarity(query, text)` is larger for more similar texts.
        rng: the source of random choices.

    Returns:
        A list of `{"role": …, "content": …}`: for each example a user's turn with its text and an assistant's turn
        with its label, then a user's turn with the query, all exactly as given.

    Examples whose text equals the query after `strip()` and `casefold()` are left out first.

    - With `similarity`: the k most similar, the most similar one last. Of equally similar examples, the first in the
      pool are taken, in any order. `rng` has no effect.
    - Without: balanced. No label has two more examples than another label that still has some to give. `rng` draws
      and shuffles them: any may be taken, in any order, but the same state gives the same prompt. With `rng=None` each
      label's first examples in the pool are taken, in one order that you choose.

    While a prompt is too long, its first example (both turns) is dropped; no other takes its place.

    Raises:
        ValueError: the query alone is too long.

    The pool, the tokenizer and Python's global random state are not changed.

    Method: Brown et al. (2020), section 2.1, https://arxiv.org/abs/2005.14165; Liu et al. (2021),
    https://arxiv.org/abs/2101.06804
    """
    # BEGIN SOLUTION: leave the query out, choose k, then drop examples at the front until the chat fits.
    others = [item for item in pool if _normal(item["text"]) != _normal(query)]
    if similarity is None:
        chosen = _balanced(others, k, rng)
    else:
        ranked = sorted(others, key=lambda item: similarity(query, item["text"]), reverse=True)
        chosen = ranked[:k][::-1]  # The most similar one stands last.
    while True:
        messages = []
        for item in chosen:
            messages.append({"role": "user", "content": item["text"]})
            messages.append({"role": "assistant", "content": item["label"]})
        messages.append({"role": "user", "content": query})
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        length = len(tokenizer(text, add_special_tokens=False)["input_ids"])  # The template wrote them.
        if length <= max_tokens:
            return messages
        if not chosen:
            raise ValueError(f"the query alone has {length} tokens, and max_tokens is {max_tokens}")
        chosen = chosen[1:]
    # END SOLUTION


# BEGIN SOLUTION
def _normal(text: str) -> str:
    return text.strip().casefold()


def _balanced(pool: list[dict], k: int, rng: random.Random | None) -> list[dict]:
    """One example of each label in turn, until there are k."""
    if rng is not None:
        pool = rng.sample(pool, len(pool))
    by_label = defaultdict(list)
    for item in pool:
        by_label[item["label"]].append(item)
    rounds = zip_longest(*by_label.values())  # None where a label has no more.
    chosen = [item for one_of_each in rounds for item in one_of_each if item is not None][:k]
    if rng is not None:
        rng.shuffle(chosen)
    return chosen


# END SOLUTION
