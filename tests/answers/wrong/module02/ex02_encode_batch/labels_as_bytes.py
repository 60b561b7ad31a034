# names: labels-in-a-small-type
# breaks: "with at least these keys, all int64"
import torch


def encode_batch(examples, tokenizer, max_length):
    if len(examples) == 0:
        raise ValueError("no examples")
    texts = [example["text"] for example in examples]
    batch = tokenizer(
        texts,
        padding=True,
        truncation=True,
        max_length=max_length,
        padding_side="right",
        return_attention_mask=True,
        return_tensors="pt",
    )
    batch["labels"] = torch.tensor([example["label"] for example in examples], dtype=torch.int16).long()
    return batch
