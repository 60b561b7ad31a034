# names: first-run-only
# breaks: "a text of n words or more, if n consecutive words of it are also consecutive"
# Only the first n words of a test text are looked up: "the question begins like one that was seen".
import re


def contaminated(train, test, n=13):
    train = [re.findall(r"\w+", text.lower()) for text in train]
    heads = [re.findall(r"\w+", text.lower())[:n] for text in test]
    sizes = {len(head) for head in heads if head}
    seen = {tuple(t[i : i + size]) for t in train for size in sizes for i in range(len(t) - size + 1)}
    return [index for index, head in enumerate(heads) if head and tuple(head) in seen]
