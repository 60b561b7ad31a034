# names: keys-counted
# breaks: "max_tokens: the most tokens of the chat"
from collections import defaultdict


def build_prompt(query, pool, k, tokenizer, max_tokens, *, similarity=None, rng=None):
    candidates = [e for e in pool if e["text"].strip().casefold() != query.strip().casefold()]
    if similarity is not None:
        candidates = sorted(candidates, key=lambda e: similarity(query, e["text"]), reverse=True)
        examples = list(reversed(candidates[:k]))
    else:
        if rng is not None:
            rng.shuffle(candidates)
        groups = defaultdict(list)
        for e in candidates:
            groups[e["label"]].append(e)
        examples = []
        while len(examples) < min(k, len(candidates)):
            for group in groups.values():
                if group and len(examples) < k:
                    examples.append(group.pop(0))
        if rng is not None:
            rng.shuffle(examples)

    def messages():
        result = []
        for e in examples:
            result.append({"role": "user", "content": e["text"]})
            result.append({"role": "assistant", "content": e["label"]})
        return result + [{"role": "user", "content": query}]

    while len(tokenizer.apply_chat_template(messages(), tokenize=True, add_generation_prompt=True)) > max_tokens:
        if not examples:
            raise ValueError("the query is too long")
        del examples[0]
    return messages()
