# names: unlisted
# breaks: "`tokenizer(text, add_special_tokens=False)` of the text"
# Header, answer and end token are encoded apart, by their characters.

from collections import namedtuple

Tokenized = namedtuple("Tokenized", "input_ids assistant_mask")


def render(messages, tokenizer, add_generation_prompt=False):
    if len(messages) == 0:
        raise ValueError("nothing to render")
    options = {"tokenize": False}
    if add_generation_prompt:
        options["add_generation_prompt"] = True
    return tokenizer.apply_chat_template(messages, **options)


def tokenize(messages, tokenizer):
    text, position, ids, mask = render(messages, tokenizer), 0, [], []
    for n, turn in enumerate(messages):
        if turn["role"] != "assistant":
            continue
        start = len(render(messages[:n], tokenizer, True))
        end = start + len(turn["content"]) + len(tokenizer.eos_token)
        for piece, counts in ((text[position:start], 0), (" " + text[start:end], 1)):
            part = tokenizer.encode(piece, add_special_tokens=False)
            ids += part
            mask += [counts] * len(part)
        position = end
    rest = tokenizer.encode(text[position:], add_special_tokens=False)
    ids, mask = ids + rest, mask + [0] * len(rest)
    return Tokenized(ids, mask)
