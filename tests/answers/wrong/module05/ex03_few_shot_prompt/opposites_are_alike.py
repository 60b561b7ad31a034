# names: absolute-similarity
# breaks: "similarity: `similarity(query, text)` is larger for more similar texts."
# The absolute value of the similarity counts.

"""5.03 · Few-shot prompt: choose examples, put them in order, stay within the budget.

A model that is shown some solved cases does the next one alike. Which cases it sees is your choice.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # For the annotation alone; nothing here loads transformers.
    pass


def chat(examples, query):
    out = []
    for e in examples:
        out += [{"role": "user", "content": e["text"]}, {"role": "assistant", "content": e["label"]}]
    return [*out, {"role": "user", "content": query}]


def tokens(messages, tokenizer):
    return len(tokenizer.apply_chat_template(messages, tokenize=True, add_generation_prompt=True, return_dict=False))


def build_prompt(query, pool, k, tokenizer, max_tokens, *, similarity=None, rng=None):
    same = query.strip().casefold()
    usable = [i for i, e in enumerate(pool) if e["text"].strip().casefold() != same]
    if similarity is not None:
        scored = [(abs(similarity(query, pool[i]["text"])), -i) for i in usable]
        scored.sort()
        order = [-i for _, i in scored][max(len(scored) - k, 0) :] if k else []
    else:
        labels = list(dict.fromkeys(pool[i]["label"] for i in usable))
        groups = {label: [i for i in usable if pool[i]["label"] == label] for label in labels}
        if rng is not None:
            rng.shuffle(labels)
            for label in sorted(groups, key=str):
                rng.shuffle(groups[label])
        order = []
        while len(order) < k and any(groups.values()):
            for label in labels:
                if groups[label] and len(order) < k:
                    order.append(groups[label].pop(0))
        if rng is not None:
            rng.shuffle(order)
    examples = [pool[i] for i in order]
    while tokens(chat(examples, query), tokenizer) > max_tokens:
        if not examples:
            raise ValueError("the query alone is too long")
        del examples[0]
    return chat(examples, query)
