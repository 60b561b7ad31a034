# names: labels-by-text
# breaks: "the same text may occur twice, with different labels"
# Looks labels up by text, so of a text that comes twice the last label wins.
import torch


def encode_batch(examples, tokenizer, max_length):
    if not examples:
        raise ValueError("nothing to encode")
    label_of = {e["text"]: e["label"] for e in examples}
    texts = [e["text"] for e in examples]
    out = tokenizer(
        texts, padding=True, padding_side="right", truncation=True, max_length=max_length, return_tensors="pt"
    )
    return {**out, "labels": torch.tensor([label_of[t] for t in texts])}
