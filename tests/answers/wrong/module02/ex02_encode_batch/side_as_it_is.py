# names: side-left-to-the-tokenizer
# breaks: "Padding comes on the right"
import torch


def encode_batch(examples, tokenizer, max_length):
    assert_nonempty(examples)
    enc = tokenizer([e["text"] for e in examples], padding=True, truncation=True, max_length=max_length)
    return {
        "input_ids": torch.tensor(enc["input_ids"]),
        "attention_mask": torch.tensor(enc["attention_mask"]),
        "labels": torch.tensor([e["label"] for e in examples]),
    }


def assert_nonempty(examples):
    if not examples:
        raise ValueError("empty batch")
