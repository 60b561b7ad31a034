# names: content-searched
# breaks: "1 at each token of each assistant content"
# Looks for content and end token together, from the end: of two equal answers the last is found twice.

from typing import NamedTuple

from transformers import PreTrainedTokenizerBase


class Tokenized(NamedTuple):
    input_ids: list[int]
    assistant_mask: list[int]


def render(
    messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase, add_generation_prompt: bool = False
) -> str:
    if not messages:
        raise ValueError("no messages")
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=add_generation_prompt)


def tokenize(messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase) -> Tokenized:
    text = render(messages, tokenizer)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    spans = []
    for message in messages:
        if message["role"] == "assistant":
            answer = message["content"] + tokenizer.eos_token
            start = text.rindex(answer)
            spans.append((start, start + len(answer)))
    mask = [int(any(p <= a and b <= q for p, q in spans)) for a, b in encoded["offset_mapping"]]
    return Tokenized(encoded["input_ids"], mask)
