# names: token-of-the-first-character
# breaks: "1 at each token of each assistant content"
# A slice from the token of the first character to that of the end token.
from typing import NamedTuple


class Tokenized(NamedTuple):
    input_ids: list
    assistant_mask: list


def render(messages, tokenizer, add_generation_prompt=False):
    if not messages:
        raise ValueError("no messages")
    return tokenizer.apply_chat_template(messages, add_generation_prompt=add_generation_prompt, tokenize=False)


def tokenize(messages, tokenizer):
    text = render(messages, tokenizer)
    encoded = tokenizer(text, add_special_tokens=False)
    mask = [0] * len(encoded["input_ids"])
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(render(messages[:i], tokenizer, True))
            stop = text.index(tokenizer.eos_token, start)
            first, last = encoded.char_to_token(start), encoded.char_to_token(stop)
            mask[first : last + 1] = [1] * (last + 1 - (first or 0))
    return Tokenized(encoded["input_ids"], mask)
