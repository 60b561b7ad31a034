# names: special-tokens-cut
# breaks: "is shortened the tokenizer's way"
import torch


def encode_batch(examples, tokenizer, max_length):
    if not examples:
        raise ValueError("nothing to encode")
    rows = [tokenizer(e["text"])["input_ids"][:max_length] for e in examples]
    longest = max(len(r) for r in rows)
    ids = [r + [tokenizer.pad_token_id] * (longest - len(r)) for r in rows]
    mask = [[1] * len(r) + [0] * (longest - len(r)) for r in rows]
    return {
        "input_ids": torch.tensor(ids),
        "attention_mask": torch.tensor(mask),
        "labels": torch.tensor([e["label"] for e in examples]),
    }
