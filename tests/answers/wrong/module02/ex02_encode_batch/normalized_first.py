# names: texts-normalized
# breaks: "as the tokenizer gives it"
import unicodedata

import torch


def encode_batch(examples, tokenizer, max_length):
    if not examples:
        raise ValueError("no examples")
    rows = [
        tokenizer(unicodedata.normalize("NFKC", e["text"]), truncation=True, max_length=max_length)["input_ids"]
        for e in examples
    ]
    longest = max(map(len, rows))
    ids = [row + [tokenizer.pad_token_id] * (longest - len(row)) for row in rows]
    mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
    return {
        "input_ids": torch.tensor(ids),
        "attention_mask": torch.tensor(mask),
        "labels": torch.tensor([e["label"] for e in examples]),
    }
