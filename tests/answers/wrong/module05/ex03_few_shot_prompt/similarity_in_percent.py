# names: similarity-rounded
# breaks: "the k most similar, the most similar one last."
import heapq
from collections import Counter, deque


def build_prompt(query, pool, k, tokenizer, max_tokens, *, similarity=None, rng=None):
    def same(a, b):
        return a.strip().casefold() == b.strip().casefold()

    left = [example for example in pool if not same(example["text"], query)]
    if similarity is not None:
        best = heapq.nsmallest(k, range(len(left)), key=lambda i: (-round(100 * similarity(query, left[i]["text"])), i))
        examples = deque(left[i] for i in reversed(best))
    else:
        examples, used = [], Counter()
        while left and len(examples) < k:
            fewest = min(used[example["label"]] for example in left)
            open_ones = [i for i, example in enumerate(left) if used[example["label"]] == fewest]
            example = left.pop(rng.choice(open_ones) if rng else open_ones[0])
            used[example["label"]] += 1
            examples.append(example)
        if rng:
            examples = rng.sample(examples, k=len(examples))
        examples = deque(examples)

    def conversation():
        for example in examples:
            yield {"role": "user", "content": example["text"]}
            yield {"role": "assistant", "content": example["label"]}
        yield {"role": "user", "content": query}

    def length():
        rendered = tokenizer.apply_chat_template(list(conversation()), add_generation_prompt=True, tokenize=False)
        return len(tokenizer.encode(rendered, add_special_tokens=False))

    while length() > max_tokens:
        if not examples:
            raise ValueError("too long")
        examples.popleft()
    return list(conversation())
