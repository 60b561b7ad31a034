"""Encodes text by text and pads with torch's pad_sequence; no token_type_ids."""

import torch
from torch.nn.utils.rnn import pad_sequence


def encode_batch(examples, tokenizer, max_length):
    if not examples:
        raise ValueError("cannot encode a batch without examples")
    rows = [
        torch.tensor(tokenizer.encode(example["text"], truncation=True, max_length=max_length)) for example in examples
    ]
    return {
        "input_ids": pad_sequence(rows, batch_first=True, padding_value=tokenizer.pad_token_id),
        "attention_mask": pad_sequence([torch.ones_like(row) for row in rows], batch_first=True),
        "labels": torch.LongTensor([example["label"] for example in examples]),
    }
