# names: share-rounded-up
# breaks: "No label has two more examples than another label that still has some to give."
# ceil(k / labels) of each and cut at k: k=4 of 3 labels gives 2, 2, 0.
"""5.03 · Few-shot prompt: choose examples, put them in order, stay within the budget.

A model that sees solved examples handles the next case the same way. You choose which examples it sees.
"""

import random
from collections import defaultdict
from collections.abc import Callable
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
    """Return the messages of a chat in which k solved examples come before the query.

    Args:
        query: the text that the model should label.
        pool: solved examples to choose from, `{"text": str, "label": str}` each, with any number of labels. A text
            that appears twice counts as two examples.
        k: how many examples to show, 0 or more. If the pool has fewer, all of them.
        tokenizer: `apply_chat_template` and a call on a text do what they do in transformers 5. The chat template
            writes all the special tokens that it needs; a call on a text adds its own, unless it is told not to.
        max_tokens: how long the prompt may be: the number of tokens of the whole chat as the template renders it,
            with the generation prompt.
        similarity: called as `similarity(query, text)`; the larger the number, the more similar. It doesn't
            have to be symmetric.
        rng: the source of random choices.

    Returns:
        A list of `{"role": …, "content": …}`: for each example a user's turn with its text and an
        assistant's turn with its label, then a user's turn with the query, and nothing else. Texts, labels
        and query appear exactly as they were given.

    Examples whose text equals the query after `strip()` and `casefold()` are left out before anything is chosen.

    - With `similarity`: the k most similar, in rising order: the most similar one is last, next to the query. Of
      equally similar examples, the first in the pool are taken, in any order. `rng` has no effect.
    - Without: balanced. No label has two more examples than another label that still has some to give. The examples
      are drawn with `rng`, so that any example of a label may be taken, and then shuffled with it, so that they may
      come in any order; the same state of `rng` gives the same prompt. With `rng=None` each label's first examples in
      the pool are taken, in one order that you choose.

    While a prompt is too long, its first example (both turns) is dropped; no other takes its place.

    Raises:
        ValueError: if the query alone, without any example, is too long.

    The pool, the tokenizer and Python's global random state are not changed.

    Method: Brown et al., Language Models are Few-Shot Learners (2020), section 2.1,
    https://arxiv.org/abs/2005.14165; nearest examples: Liu et al. (2021), https://arxiv.org/abs/2101.06804
    """

    def messages_of(examples):
        messages = []
        for example in examples:
            messages.append({"role": "user", "content": example["text"]})
            messages.append({"role": "assistant", "content": example["label"]})
        messages.append({"role": "user", "content": query})
        return messages

    def length(messages):
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return len(tokenizer(text, add_special_tokens=False)["input_ids"])

    key = query.strip().casefold()
    candidates = [example for example in pool if example["text"].strip().casefold() != key]
    if similarity is not None:
        order = sorted(range(len(candidates)), key=lambda i: similarity(query, candidates[i]["text"]), reverse=True)
        chosen = [candidates[i] for i in order[:k]][::-1]
    else:
        groups = defaultdict(list)
        for example in candidates:
            groups[example["label"]].append(example)
        share = -(-k // max(1, len(groups)))
        chosen = []
        for group in groups.values():
            if rng is not None:
                chosen += rng.sample(group, min(share, len(group)))
            else:
                chosen += group[:share]
        chosen = chosen[:k]
        if rng is not None:
            rng.shuffle(chosen)
    while True:
        messages = messages_of(chosen)
        if length(messages) <= max_tokens:
            return messages
        if not chosen:
            raise ValueError("the query alone is too long")
        chosen = chosen[1:]
