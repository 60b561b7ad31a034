# names: examples-changed
# breaks: "The list and its dicts are not changed."
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
    batch["labels"] = torch.tensor([example.pop("label") for example in examples])
    return batch
