# names: answer-tokens-searched
# breaks: "0 everywhere else"
# Looks for the tokens of each answer in the ids and marks every place where they are found.
from typing import NamedTuple


class Tokenized(NamedTuple):
    input_ids: list
    assistant_mask: list


def render(messages, tokenizer, add_generation_prompt=False):
    return tokenizer.apply_chat_template(messages, add_generation_prompt=add_generation_prompt, tokenize=False)


def tokenize(messages, tokenizer):
    ids = tokenizer(render(messages, tokenizer), add_special_tokens=False)["input_ids"]
    mask = [0] * len(ids)
    for message in messages:
        if message["role"] == "assistant":
            wanted = tokenizer(message["content"] + tokenizer.eos_token, add_special_tokens=False)["input_ids"]
            for k in range(len(ids) - len(wanted) + 1):
                if ids[k : k + len(wanted)] == wanted:
                    mask[k : k + len(wanted)] = [1] * len(wanted)
    return Tokenized(ids, mask)
