# names: most-similar-first
# breaks: "With `similarity`: the k most similar, the most similar one last."
def build_prompt(query, pool, k, tokenizer, max_tokens, *, similarity=None, rng=None):
    key = query.strip().casefold()
    pool = [e for e in pool if e["text"].strip().casefold() != key]
    if similarity is not None:
        chosen = sorted(pool, key=lambda e: -similarity(query, e["text"]))[:k]
    else:
        chosen = balanced(pool, k, rng)
    messages = build(chosen, query)
    while length(tokenizer, messages) > max_tokens:
        if not chosen:
            raise ValueError("query too long")
        chosen = chosen[1:]
        messages = build(chosen, query)
    return messages


def build(examples, query):
    messages = []
    for e in examples:
        messages += [{"role": "user", "content": e["text"]}, {"role": "assistant", "content": e["label"]}]
    return messages + [{"role": "user", "content": query}]


def length(tokenizer, messages):
    return len(tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"])


def balanced(pool, k, rng):
    pool = list(pool)
    if rng:
        rng.shuffle(pool)
    chosen, counts = [], {}
    for _ in range(k):
        rest = [e for e in pool if e not in chosen]
        if not rest:
            break
        e = min(rest, key=lambda e: counts.get(e["label"], 0))
        counts[e["label"]] = counts.get(e["label"], 0) + 1
        chosen.append(e)
    if rng:
        rng.shuffle(chosen)
    return chosen
