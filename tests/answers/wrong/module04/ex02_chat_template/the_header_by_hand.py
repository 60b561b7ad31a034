# names: unlisted
# breaks: "the text ends with the header of an assistant's turn"
# The header of an assistant's turn is written by hand: it is ChatML's whatever the template.

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
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    return text + "<|im_start|>assistant\n" if add_generation_prompt else text


def tokenize(messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase) -> Tokenized:
    text = render(messages, tokenizer)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    mask = [0] * len(encoded["input_ids"])
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(tokenizer.apply_chat_template(messages[:i], tokenize=False, add_generation_prompt=True))
            end = text.index(tokenizer.eos_token, start) + len(tokenizer.eos_token)
            for position, (first, _) in enumerate(encoded["offset_mapping"]):
                if start <= first < end:
                    mask[position] = 1
    return Tokenized(encoded["input_ids"], mask)
