# names: mask-left-to-the-tokenizer
# breaks: "with at least these keys"
# breaks: "Some return a mask only when asked for one."
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
        return_tensors="pt",
    )
    batch["labels"] = torch.tensor([example["label"] for example in examples])
    return batch
