# names: tokenizer-changed
# breaks: "On return, the tokenizer is unchanged"
import torch


def encode_batch(examples, tokenizer, max_length):
    if len(examples) == 0:
        raise ValueError("no examples")
    tokenizer.padding_side = "right"
    texts = [example["text"] for example in examples]
    batch = tokenizer(
        texts,
        padding=True,
        truncation=True,
        max_length=max_length,
        return_attention_mask=True,
        return_tensors="pt",
    )
    batch["labels"] = torch.tensor([example["label"] for example in examples])
    return batch
