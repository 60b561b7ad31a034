"""Shortens by calling itself; lengths from a numpy row; without rng the examples keep the order of the pool."""


def build_prompt(query, pool, k, tokenizer, max_tokens, *, similarity=None, rng=None):
    wanted = query.strip().casefold()
    usable = list(filter(lambda item: item["text"].strip().casefold() != wanted, pool))
    if similarity is None:
        examples = balanced(usable, k, rng)
    else:
        order = sorted(range(len(usable)), key=lambda i: -similarity(query, usable[i]["text"]))[:k]
        order.reverse()
        examples = [usable[i] for i in order]
    return fitted(examples, query, tokenizer, max_tokens)


def balanced(usable, k, rng):
    order = list(range(len(usable)))
    if rng is not None:
        rng.shuffle(order)
    rank = {}  # the how-manieth of its label each example is
    seen = {}
    for i in order:
        label = usable[i]["label"]
        rank[i] = seen.get(label, 0)
        seen[label] = rank[i] + 1
    chosen = sorted(order, key=rank.get)[:k]
    if rng is None:
        chosen.sort()
    else:
        rng.shuffle(chosen)
    return [usable[i] for i in chosen]


def fitted(examples, query, tokenizer, max_tokens):
    messages = []
    for item in examples:
        messages.extend(({"role": "user", "content": item["text"]}, {"role": "assistant", "content": item["label"]}))
    messages.append({"role": "user", "content": query})
    ids = tokenizer.apply_chat_template(
        messages, tokenize=True, add_generation_prompt=True, return_tensors="np", return_dict=True
    )["input_ids"]
    if ids.shape[-1] <= max_tokens:
        return messages
    if not examples:
        raise ValueError(f"{ids.shape[-1]} tokens are more than {max_tokens}")
    return fitted(examples[1:], query, tokenizer, max_tokens)
