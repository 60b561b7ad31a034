# names: instruction-added
# breaks: "all exactly as given"
# Writes an instruction before the query and each text, so the turns are no longer the texts.
from itertools import chain, zip_longest


def build_prompt(query, pool, k, tokenizer, max_tokens, *, similarity=None, rng=None):
    key = query.strip().casefold()
    pool = [e for e in pool if e["text"].strip().casefold() != key]
    if similarity is not None:
        chosen = sorted(pool, key=lambda e: similarity(query, e["text"]), reverse=True)[:k][::-1]
    else:
        if rng:
            pool = rng.sample(pool, len(pool))
        labels = list(dict.fromkeys(e["label"] for e in pool))
        groups = [[e for e in pool if e["label"] == label] for label in labels]
        chosen = [e for e in chain(*zip_longest(*groups)) if e][:k]
        if rng:
            rng.shuffle(chosen)
    ask = "Classify: "
    while True:
        messages = []
        for e in chosen:
            messages.append({"role": "user", "content": ask + e["text"]})
            messages.append({"role": "assistant", "content": e["label"]})
        messages.append({"role": "user", "content": ask + query})
        ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
        if len(ids) <= max_tokens:
            return messages
        if not chosen:
            raise ValueError("too long")
        chosen = chosen[1:]
