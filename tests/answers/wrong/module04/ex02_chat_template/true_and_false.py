# names: mask-of-bools
# breaks: "Two lists of ints, equally long"
# Comparisons give bools, and nobody makes numbers of them.

from typing import NamedTuple


class Tokenized(NamedTuple):
    input_ids: list
    assistant_mask: list


def render(messages, tokenizer, add_generation_prompt=False):
    if messages == []:
        raise ValueError("an empty conversation has no text")
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=bool(add_generation_prompt))


PLACE = "\ue000"  # A private character, which no text of a data set should hold.


def tokenize(messages, tokenizer):
    text = render(messages, tokenizer)
    hollow = [dict(m, content=PLACE) if m["role"] == "assistant" else m for m in messages]
    outside = render(hollow, tokenizer).split(PLACE)
    spans, position = [], len(outside[0])
    answers = [m["content"] for m in messages if m["role"] == "assistant"]
    for answer, after in zip(answers, outside[1:], strict=True):
        end = position + len(answer)
        spans.append(range(position, end + len(tokenizer.eos_token)))
        position = end + len(after)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    mask = [any(first in span for span in spans) for first, _ in encoded["offset_mapping"]]
    return Tokenized(encoded["input_ids"], mask)
