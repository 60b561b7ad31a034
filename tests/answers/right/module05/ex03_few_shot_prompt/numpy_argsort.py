"""Numpy for the ranking; the examples that fit are counted from the back, with each prompt rendered as ids."""

import itertools

import numpy as np


def build_prompt(query, pool, k, tokenizer, max_tokens, *, similarity=None, rng=None):
    texts = np.array([" ".join([item["text"].strip().casefold()]) for item in pool], dtype=object)
    usable = [pool[i] for i in np.flatnonzero(texts != query.strip().casefold())] if len(pool) else []
    if similarity is not None:
        scores = np.array([similarity(query, item["text"]) for item in usable])
        best = np.argsort(-scores, kind="stable")[:k] if usable else []
        examples = [usable[i] for i in best][::-1]
    else:
        if rng is not None:
            usable = sorted(usable, key=lambda _: rng.random())
        groups = [[e for e in usable if e["label"] == name] for name in sorted({e["label"] for e in usable})]
        if rng is not None:
            rng.shuffle(groups)
        in_turn = itertools.chain.from_iterable(itertools.zip_longest(*groups))
        examples = list(itertools.islice((e for e in in_turn if e), k))
        if rng is not None:
            examples.sort(key=lambda _: rng.random())

    def render(some):
        shots = [({"role": "user", "content": e["text"]}, {"role": "assistant", "content": e["label"]}) for e in some]
        return [message for shot in shots for message in shot] + [{"role": "user", "content": query}]

    def fits(some):
        ids = tokenizer.apply_chat_template(render(some), add_generation_prompt=True, return_dict=False)
        return len(ids) <= max_tokens

    if not fits([]):
        raise ValueError("the query is too long")
    count = 0
    while count < len(examples) and fits(examples[len(examples) - count - 1 :]):
        count += 1
    return render(examples[len(examples) - count :])
