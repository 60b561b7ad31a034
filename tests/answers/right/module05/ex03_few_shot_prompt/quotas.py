"""Quotas by label, filled up in turn; the longest suffix that fits is looked for; ids come from the template itself."""

import random
from operator import itemgetter


def build_prompt(query, pool, k, tokenizer, max_tokens, *, similarity=None, rng=None):
    key = query.strip().casefold()
    candidates = [(i, e) for i, e in enumerate(pool) if e["text"].strip().casefold() != key]
    if similarity:
        scored = [(similarity(query, e["text"]), -i, e) for i, e in candidates]
        scored.sort(key=itemgetter(0, 1))
        picked = [e for _, _, e in scored[max(0, len(scored) - k) :]]
    else:
        picked = pick_balanced([e for _, e in candidates], k, rng)
    for start in range(len(picked) + 1):
        prompt = turns(picked[start:]) + [dict(role="user", content=query)]
        ids = tokenizer.apply_chat_template(prompt, add_generation_prompt=True, return_dict=True).input_ids
        if len(ids) <= max_tokens:
            return prompt
    raise ValueError(f"query does not fit into {max_tokens} tokens: {query!r}")


def pick_balanced(examples, k, rng):
    labels = list(dict.fromkeys(e["label"] for e in examples))
    quota = dict.fromkeys(labels, 0)
    supply = {label: sum(e["label"] == label for e in examples) for label in labels}
    for _ in range(min(k, len(examples))):
        open_labels = [label for label in labels if quota[label] < supply[label]]
        quota[min(open_labels, key=quota.get)] += 1
    picked = []
    for label in labels:
        group = [e for e in examples if e["label"] == label]
        picked += rng.sample(group, quota[label]) if isinstance(rng, random.Random) else group[: quota[label]]
    if rng is not None:
        rng.shuffle(picked)
    return picked


def turns(examples):
    messages = []
    for e in examples:
        messages += [dict(role="user", content=e["text"]), dict(role="assistant", content=e["label"])]
    return messages
