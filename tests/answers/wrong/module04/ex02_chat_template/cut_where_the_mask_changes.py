# names: pieces-encoded-one-by-one
# breaks: "`tokenizer(text, add_special_tokens=False)` of the text that `render` gives"
# The text is cut where the mask changes, and the pieces are encoded one by one.

from typing import NamedTuple


class Tokenized(NamedTuple):
    input_ids: list
    assistant_mask: list


def render(messages, tokenizer, add_generation_prompt=False):
    if len(messages) == 0:
        raise ValueError("no messages")
    return tokenizer.apply_chat_template(
        conversation=list(messages), add_generation_prompt=add_generation_prompt, tokenize=False
    )


def tokenize(messages, tokenizer):
    text = render(messages, tokenizer)
    tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    inside = bytearray(len(text))
    for i, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        start = len(render(messages[:i], tokenizer, True))
        stop = start + len(message["content"]) + len(tokenizer.eos_token)
        inside[start:stop] = b"\1" * (stop - start)
    ids, mask, at = [], [], 0
    while at < len(text):
        end = at
        while end < len(text) and inside[end] == inside[at]:
            end += 1
        piece = tokenizer(text[at:end], add_special_tokens=False)["input_ids"]
        ids += piece
        mask += [inside[at]] * len(piece)
        at = end
    return Tokenized(ids, mask)
