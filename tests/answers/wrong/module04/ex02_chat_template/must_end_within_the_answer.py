# names: end-token-with-white-space-not-marked
# breaks: "and at the end token directly after it"
# breaks: "That token may take in white space after it"
# A token must lie within the answer: an end token that takes in the line break after it does not.

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
    text = render(messages, tokenizer)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    mask = [0] * len(encoded["input_ids"])
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(render(messages[:i], tokenizer, add_generation_prompt=True))
            end = text.index(tokenizer.eos_token, start) + len(tokenizer.eos_token)
            for position, (first, last) in enumerate(encoded["offset_mapping"]):
                if start <= first and last <= end:
                    mask[position] = 1
    return Tokenized(encoded["input_ids"], mask)
