# names: header-written-by-hand
# breaks: "1 at each token of each assistant content"
# The header of ChatML stands in a regular expression.

import re
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
    header, end = "<|im_start|>assistant\n", tokenizer.eos_token
    spans = [(m.start(1), m.end(1)) for m in re.finditer(re.escape(header) + "(.*?" + re.escape(end) + ")", text, re.S)]
    mask = [int(any(p <= a and b <= q for p, q in spans)) for a, b in encoded["offset_mapping"]]
    return Tokenized(encoded["input_ids"], mask)
