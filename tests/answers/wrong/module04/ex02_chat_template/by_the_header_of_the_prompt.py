# names: header-of-the-prompt-searched
# breaks: "1 at each token of each assistant content"
# The header is what the generation prompt adds to the first message; the [INST] template has none.
from typing import NamedTuple


class Tokenized(NamedTuple):
    input_ids: list
    assistant_mask: list


def render(messages, tokenizer, add_generation_prompt=False):
    if not messages:
        raise ValueError("no messages")
    return tokenizer.apply_chat_template(messages, add_generation_prompt=add_generation_prompt, tokenize=False)


def tokenize(messages, tokenizer):
    text = render(messages, tokenizer)
    header = render(messages[:1], tokenizer, True)[len(render(messages[:1], tokenizer)) :]
    spans, end = [], 0
    while header and (at := text.find(header, end)) != -1:
        end = text.index(tokenizer.eos_token, at) + len(tokenizer.eos_token)
        spans.append((at + len(header), end))
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    mask = [int(any(p <= a and b <= q for p, q in spans)) for a, b in encoded["offset_mapping"]]
    return Tokenized(encoded["input_ids"], mask)
