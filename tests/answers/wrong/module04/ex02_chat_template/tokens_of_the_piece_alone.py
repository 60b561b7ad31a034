# names: tokens-of-the-answer-alone
# breaks: "0 everywhere else"
# Counts the tokens of each answer alone: the marker that begins a text makes them one more than they are in the text.
from typing import NamedTuple


class Tokenized(NamedTuple):
    input_ids: list
    assistant_mask: list


def render(messages, tokenizer, add_generation_prompt=False):
    if not messages:
        raise ValueError("no messages")
    return tokenizer.apply_chat_template(messages, add_generation_prompt=add_generation_prompt, tokenize=False)


def tokenize(messages, tokenizer):
    def count(piece):
        return len(tokenizer(piece, add_special_tokens=False)["input_ids"])

    text = render(messages, tokenizer)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    mask = [0] * len(ids)
    for n, turn in enumerate(messages):
        if turn["role"] == "assistant":
            header = render(messages[:n], tokenizer, add_generation_prompt=True)
            first = count(header)
            for k in range(first, first + count(turn["content"] + tokenizer.eos_token)):
                mask[k] = 1
    return Tokenized(ids, mask)
