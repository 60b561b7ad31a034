# names: not-drawn
# breaks: "`rng` draws and shuffles them: any may be taken, in any order"
def normal(text):
    return text.strip().casefold()


def choose_balanced(examples, k, rng):
    examples = list(examples)
    labels = list(dict.fromkeys(example["label"] for example in examples))
    groups = {label: [e for e in examples if e["label"] == label] for label in labels}
    chosen = []
    while len(chosen) < k and any(groups.values()):
        for label in labels:
            if groups[label] and len(chosen) < k:
                chosen.append(groups[label].pop(0))
    if rng:
        rng.shuffle(chosen)
    return chosen


def to_messages(examples, query):
    messages = []
    for example in examples:
        messages.append({"role": "user", "content": example["text"]})
        messages.append({"role": "assistant", "content": example["label"]})
    messages.append({"role": "user", "content": query})
    return messages


def build_prompt(query, pool, k, tokenizer, max_tokens, *, similarity=None, rng=None):
    examples = [example for example in pool if normal(example["text"]) != normal(query)]
    if similarity is not None:
        examples = sorted(examples, key=lambda e: similarity(query, e["text"]), reverse=True)[:k]
        examples.reverse()
    else:
        examples = choose_balanced(examples, k, rng)
    while True:
        messages = to_messages(examples, query)
        encoded = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True, return_dict=True)
        if len(encoded["input_ids"]) <= max_tokens:
            return messages
        if not examples:
            raise ValueError("the query alone is too long")
        examples = examples[1:]
