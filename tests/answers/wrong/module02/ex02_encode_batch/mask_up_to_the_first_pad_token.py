# names: unlisted
# breaks: "even if texts contain the pad token as well"
import torch


def encode_batch(examples, tokenizer, max_length):
    if not examples:
        raise ValueError("no examples")
    rows = [tokenizer(e["text"], truncation=True, max_length=max_length)["input_ids"] for e in examples]
    longest = max(map(len, rows))
    ids = [row + [tokenizer.pad_token_id] * (longest - len(row)) for row in rows]
    mask = [
        [
            int(i < (row.index(tokenizer.pad_token_id) if tokenizer.pad_token_id in row[1:-1] else len(row)))
            for i in range(longest)
        ]
        for row in rows
    ]
    return {
        "input_ids": torch.tensor(ids),
        "attention_mask": torch.tensor(mask),
        "labels": torch.tensor([e["label"] for e in examples]),
    }
