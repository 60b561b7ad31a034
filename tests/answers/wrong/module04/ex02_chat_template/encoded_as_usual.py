# names: double-bos
# breaks: "`tokenizer(text, add_special_tokens=False)` of the text"
# Rendered, and then encoded like any other text.
from typing import NamedTuple


class Tokenized(NamedTuple):
    input_ids: list
    assistant_mask: list


def render(messages, tokenizer, add_generation_prompt=False):
    return tokenizer.apply_chat_template(messages, add_generation_prompt=add_generation_prompt, tokenize=False)


def tokenize(messages, tokenizer):
    ids = tokenizer(render(messages, tokenizer))["input_ids"]
    mask = [0] * len(ids)
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(tokenizer(render(messages[:i], tokenizer, True))["input_ids"])
            stop = ids.index(tokenizer.eos_token_id, start)
            for k in range(start, stop + 1):
                mask[k] = 1
    return Tokenized(ids, mask)
