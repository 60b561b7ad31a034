# names: cut-at-512-tokens
# breaks: "A text of more than `max_length` tokens is shortened the tokenizer's way"
import torch


def encode_batch(examples, tokenizer, max_length):
    if not examples:
        raise ValueError("no examples")
    max_length = min(max_length, 512)
    rows = [tokenizer(e["text"], truncation=True, max_length=max_length)["input_ids"] for e in examples]
    longest = max(map(len, rows))
    ids = [row + [tokenizer.pad_token_id] * (longest - len(row)) for row in rows]
    mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
    return {
        "input_ids": torch.tensor(ids),
        "attention_mask": torch.tensor(mask),
        "labels": torch.tensor([e["label"] for e in examples]),
    }
