# names: unlisted
# breaks: "0 everywhere else"
# System turns in the middle of a conversation are left out.

from typing import NamedTuple

from transformers import PreTrainedTokenizerBase


class Tokenized(NamedTuple):
    input_ids: list[int]
    assistant_mask: list[int]


def render(
    messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase, add_generation_prompt: bool = False
) -> str:
    if not messages:
        raise ValueError("a conversation needs at least one message")
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=add_generation_prompt)


def tokenize(messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase) -> Tokenized:
    messages = [m for i, m in enumerate(messages) if i == 0 or m["role"] != "system"]
    text = render(messages, tokenizer)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    mask = [0] * len(encoded["input_ids"])
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(render(messages[:i], tokenizer, add_generation_prompt=True))
            end = text.index(tokenizer.eos_token, start) + len(tokenizer.eos_token)
            for position, (first, _) in enumerate(encoded["offset_mapping"]):
                if start <= first < end:
                    mask[position] = 1
    return Tokenized(encoded["input_ids"], mask)
