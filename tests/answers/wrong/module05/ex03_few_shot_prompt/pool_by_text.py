# names: repeated-texts-lost
# breaks: "Equal texts count separately."
# Keeps the pool in a dict by text, so of a text that comes twice one label is lost.
from itertools import chain, zip_longest


def build_prompt(query, pool, k, tokenizer, max_tokens, *, similarity=None, rng=None):
    label_of = {e["text"]: e["label"] for e in pool}
    texts = [t for t in label_of if t.strip().casefold() != query.strip().casefold()]
    if similarity is not None:
        chosen = sorted(texts, key=lambda t: similarity(query, t), reverse=True)[:k][::-1]
    else:
        if rng:
            rng.shuffle(texts)
        groups = {}
        for t in texts:
            groups.setdefault(label_of[t], []).append(t)
        chosen = [t for t in chain(*zip_longest(*groups.values())) if t][:k]
        if rng:
            rng.shuffle(chosen)
    while True:
        messages = []
        for t in chosen:
            messages += [{"role": "user", "content": t}, {"role": "assistant", "content": label_of[t]}]
        messages.append({"role": "user", "content": query})
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        if len(tokenizer(text, add_special_tokens=False).input_ids) <= max_tokens:
            return messages
        if not chosen:
            raise ValueError("too long")
        chosen = chosen[1:]
