# names: side-left-changed
# breaks: "tokenize: Neither the messages nor the tokenizer are changed"
# Sets the side that generation will need.

from dataclasses import dataclass


@dataclass(frozen=True)
class Tokenized:
    input_ids: list
    assistant_mask: list


def render(messages, tokenizer, add_generation_prompt=False):
    if not messages:
        raise ValueError("no messages")
    return tokenizer.apply_chat_template(messages, None, None, None, add_generation_prompt, tokenize=False)


def tokenize(messages, tokenizer):
    tokenizer.padding_side = "left"
    text = render(messages, tokenizer)
    encoding = tokenizer(text, add_special_tokens=False)
    ids = list(encoding["input_ids"])
    chosen = set()
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            header = tokenizer.apply_chat_template(messages[:i], tokenize=False, add_generation_prompt=True)
            start = text.index(message["content"], len(header))
            stop = start + len(message["content"] + tokenizer.eos_token)
            for letter in range(start, stop):
                token = encoding.char_to_token(letter)
                if token is not None:
                    chosen.add(token)
    # A letter of several bytes is several tokens, and char_to_token gives the first: fill the gaps.
    for token, (first, last) in enumerate(encoding.encodings[0].offsets):
        if token - 1 in chosen and first < last and (first, last) == encoding.encodings[0].offsets[token - 1]:
            chosen.add(token)
    return Tokenized(input_ids=ids, assistant_mask=[int(token in chosen) for token in range(len(ids))])
