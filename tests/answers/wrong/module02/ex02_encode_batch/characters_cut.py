# names: characters-cut
# breaks: "is shortened the tokenizer's way"
# Cuts the text at max_length characters before it is tokenized.
import torch


def encode_batch(examples, tokenizer, max_length):
    if not examples:
        raise ValueError("nothing to encode")
    texts = [e["text"][:max_length] for e in examples]
    out = tokenizer(texts, padding=True, padding_side="right", return_tensors="pt")
    return {**out, "labels": torch.tensor([e["label"] for e in examples])}
