# names: unlisted
# breaks: "The template writes the special tokens; no others are added."
# "One BOS": it is put in front where the template has written none.
from typing import NamedTuple


class Tokenized(NamedTuple):
    input_ids: list
    assistant_mask: list


def render(messages, tokenizer, add_generation_prompt=False):
    return tokenizer.apply_chat_template(messages, add_generation_prompt=add_generation_prompt, tokenize=False)


def tokenize(messages, tokenizer):
    text = render(messages, tokenizer)
    if not text.startswith(tokenizer.bos_token):
        text = tokenizer.bos_token + text
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    mask = [0] * len(encoded["input_ids"])
    shift = len(text) - len(render(messages, tokenizer))
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(render(messages[:i], tokenizer, True)) + shift
            end = text.index(tokenizer.eos_token, start) + len(tokenizer.eos_token)
            for k, (a, b) in enumerate(encoded["offset_mapping"]):
                mask[k] |= int(a >= start and b <= end)
    return Tokenized(encoded["input_ids"], mask)
