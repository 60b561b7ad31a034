# names: padded-to-max-length
# breaks: "T is the length of the longest row after that, no more."
import torch


def encode_batch(examples, tokenizer, max_length):
    if not examples:
        raise ValueError("nothing to encode")
    out = tokenizer(
        [e["text"] for e in examples],
        max_length=max_length,
        padding="max_length",
        truncation=True,
        padding_side="right",
        return_tensors="pt",
    )
    out["labels"] = torch.tensor([e["label"] for e in examples], dtype=torch.long)
    return out
