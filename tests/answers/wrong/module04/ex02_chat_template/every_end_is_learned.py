# names: every-end-token-marked
# breaks: "0 everywhere else"
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
    ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
    mask = [int(token == tokenizer.eos_token_id) for token in ids]
    for i, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        start = len(render(messages[:i], tokenizer, True))
        for t, (a, b) in enumerate(offsets):
            if start <= a and b <= start + len(message["content"]):
                mask[t] = 1
    return Tokenized(ids, mask)
