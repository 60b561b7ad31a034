# names: padded-to-a-multiple
# breaks: "T is the length of the longest row after that, no more."
# Pads to a multiple of 8, as is done for tensor cores.
import torch


def encode_batch(examples, tokenizer, max_length):
    if not examples:
        raise ValueError("nothing to encode")
    texts = [e["text"] for e in examples]
    out = tokenizer(
        texts,
        padding=True,
        pad_to_multiple_of=8,
        padding_side="right",
        truncation=True,
        max_length=max_length,
        return_tensors="pt",
    )
    return {**out, "labels": torch.tensor([e["label"] for e in examples])}
