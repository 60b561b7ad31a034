# names: long-one-skipped
# breaks: "While a prompt is too long, its first example (both turns) is dropped; no other takes its place."
# Fills the prompt from the best example on and passes over what does not fit, so a worse one may take its place.
from itertools import chain, zip_longest


def build_prompt(query, pool, k, tokenizer, max_tokens, *, similarity=None, rng=None):
    pool = [e for e in pool if e["text"].strip().casefold() != query.strip().casefold()]
    if similarity is not None:
        best_first = sorted(pool, key=lambda e: similarity(query, e["text"]), reverse=True)[:k]
    else:
        pool = rng.sample(pool, len(pool)) if rng else pool
        labels = list(dict.fromkeys(e["label"] for e in pool))
        best_first = [e for e in chain(*zip_longest(*([e for e in pool if e["label"] == x] for x in labels))) if e][:k]
        if rng:
            rng.shuffle(best_first)
    messages = [{"role": "user", "content": query}]
    if length(tokenizer, messages) > max_tokens:
        raise ValueError("query too long")
    for e in best_first:
        longer = [{"role": "user", "content": e["text"]}, {"role": "assistant", "content": e["label"]}, *messages]
        if length(tokenizer, longer) <= max_tokens:
            messages = longer
    return messages


def length(tokenizer, messages):
    return len(tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False))
