# names: messages-encoded-one-by-one
# breaks: "of the text that `render` gives"
# Each message is rendered for itself, and the pieces are put together: the template thinks that each is the first.
from typing import NamedTuple


class Tokenized(NamedTuple):
    input_ids: list
    assistant_mask: list


def render(messages, tokenizer, add_generation_prompt=False):
    if not messages:
        raise ValueError("no messages")
    return tokenizer.apply_chat_template(messages, add_generation_prompt=add_generation_prompt, tokenize=False)


def tokenize(messages, tokenizer):
    if not messages:
        raise ValueError("no messages")
    ids, mask = [], []
    for message in messages:
        piece = tokenizer(render([message], tokenizer), add_special_tokens=False)["input_ids"]
        ids += piece
        mask += [int(message["role"] == "assistant")] * len(piece)
    return Tokenized(ids, mask)
