# names: white-space-not-marked
# breaks: "1 at each token of each assistant content"
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
    spans = []
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(render(messages[:i], tokenizer, add_generation_prompt=True))
            start = text.index(message["content"], start)
            stop = text.index(tokenizer.eos_token, start + len(message["content"])) + len(tokenizer.eos_token)
            spans.append((start, stop))
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    mask = [
        int(bool(text[a:b].strip()) and any(p <= a and b <= q for p, q in spans)) for a, b in encoded["offset_mapping"]
    ]
    return Tokenized(list(encoded["input_ids"]), mask)
