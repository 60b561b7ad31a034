"""Two steps, as a data collator does it: encode without padding, then tokenizer.pad."""

import torch


def encode_batch(examples, tokenizer, max_length):
    features = [
        {**tokenizer(e["text"], truncation="longest_first", max_length=max_length), "labels": e["label"]}
        for e in examples
    ]
    if not features:
        raise ValueError("examples: []")
    labels = [feature.pop("labels") for feature in features]
    batch = tokenizer.pad(features, padding=True, padding_side="right", return_attention_mask=True, return_tensors="pt")
    return dict(batch, labels=torch.as_tensor(labels, dtype=torch.long))
