# names: template-not-counted
# breaks: "max_tokens: the most tokens of the chat"
from itertools import chain, zip_longest


def build_prompt(query, pool, k, tokenizer, max_tokens, *, similarity=None, rng=None):
    pool = [e for e in pool if e["text"].strip().casefold() != query.strip().casefold()]
    if similarity is not None:
        chosen = sorted(pool, key=lambda e: similarity(query, e["text"]), reverse=True)[:k][::-1]
    else:
        pool = rng.sample(pool, len(pool)) if rng else pool
        labels = list(dict.fromkeys(e["label"] for e in pool))
        chosen = [e for e in chain(*zip_longest(*([e for e in pool if e["label"] == x] for x in labels))) if e][:k]
        if rng:
            rng.shuffle(chosen)

    def cost(text):
        return len(tokenizer.tokenize(text))

    if cost(query) > max_tokens:
        raise ValueError("query too long")
    while sum(cost(e["text"]) + cost(e["label"]) for e in chosen) + cost(query) > max_tokens:
        chosen = chosen[1:]
    messages = []
    for e in chosen:
        messages += [{"role": "user", "content": e["text"]}, {"role": "assistant", "content": e["label"]}]
    return messages + [{"role": "user", "content": query}]
