# names: query-among-examples
# breaks: "are left out first."
def build_prompt(query, pool, k, tokenizer, max_tokens, *, similarity=None, rng=None):
    if similarity is not None:
        examples = sorted(pool, key=lambda e: similarity(query, e["text"]), reverse=True)[:k]
        examples.reverse()
    else:
        items = list(pool)
        if rng:
            rng.shuffle(items)
        groups = {}
        for e in items:
            groups.setdefault(e["label"], []).append(e)
        examples = []
        while len(examples) < k and any(groups.values()):
            for group in groups.values():
                if group and len(examples) < k:
                    examples.append(group.pop(0))
        if rng:
            rng.shuffle(examples)
    while True:
        out = []
        for e in examples:
            out.append({"role": "user", "content": e["text"]})
            out.append({"role": "assistant", "content": e["label"]})
        out.append({"role": "user", "content": query})
        n = len(tokenizer.apply_chat_template(out, add_generation_prompt=True)["input_ids"])
        if n <= max_tokens:
            return out
        if not examples:
            raise ValueError("too long")
        examples = examples[1:]
