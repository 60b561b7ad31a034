# names: content-searched
# breaks: "at all headers"
# Each answer is looked for behind the turns before it, where its own header stands first: "assistant" is found in it.
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
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    spans = []
    for n, turn in enumerate(messages):
        if turn["role"] == "assistant":
            start = text.index(turn["content"], len(render(messages[:n], tokenizer)))
            stop = text.index(tokenizer.eos_token, start) + len(tokenizer.eos_token)
            spans.append((start, stop))
    mask = [
        int(any(start <= first and last <= stop for start, stop in spans)) for first, last in encoded["offset_mapping"]
    ]
    return Tokenized(encoded["input_ids"], mask)
