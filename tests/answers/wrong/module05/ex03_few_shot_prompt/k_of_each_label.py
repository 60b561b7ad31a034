# names: k-of-each-label
# breaks: "how many examples to show, 0 or more"
# Takes k examples of each label, not k in all.
def build_prompt(query, pool, k, tokenizer, max_tokens, *, similarity=None, rng=None):
    key = query.strip().casefold()
    pool = [e for e in pool if e["text"].strip().casefold() != key]
    if similarity is not None:
        chosen = sorted(pool, key=lambda e: similarity(query, e["text"]), reverse=True)[:k][::-1]
    else:
        chosen = []
        for label in dict.fromkeys(e["label"] for e in pool):
            group = [e for e in pool if e["label"] == label]
            chosen += rng.sample(group, min(k, len(group))) if rng else group[:k]
        if rng:
            rng.shuffle(chosen)
    while True:
        messages = [m for e in chosen for m in pair(e)] + [{"role": "user", "content": query}]
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        if len(tokenizer.tokenize(text)) <= max_tokens:
            return messages
        if not chosen:
            raise ValueError("too long")
        chosen.pop(0)


def pair(e):
    return {"role": "user", "content": e["text"]}, {"role": "assistant", "content": e["label"]}
