# names: template-written-by-hand
# breaks: "Return the text that the tokenizer's own chat template makes"
# ChatML, as one knows it.
from collections import namedtuple

Tokenized = namedtuple("Tokenized", ["input_ids", "assistant_mask"])


def render(messages, tokenizer, add_generation_prompt=False):
    if not messages:
        raise ValueError("no messages")
    text = ""
    for message in messages:
        text += "<|im_start|>" + message["role"] + "\n" + message["content"] + "<|im_end|>" + "\n"
    if add_generation_prompt:
        text += "<|im_start|>assistant\n"
    return text


def tokenize(messages, tokenizer):
    ids, mask = [], []
    for message in messages:
        header = tokenizer("<|im_start|>" + message["role"] + "\n", add_special_tokens=False).input_ids
        body = tokenizer(message["content"] + "<|im_end|>", add_special_tokens=False).input_ids
        newline = tokenizer("\n", add_special_tokens=False).input_ids
        ids += header + body + newline
        mask += [0] * len(header) + [int(message["role"] == "assistant")] * len(body) + [0] * len(newline)
    return Tokenized(ids, mask)
