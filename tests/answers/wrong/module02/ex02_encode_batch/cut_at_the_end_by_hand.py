# names: cut-on-the-right
# breaks: "is shortened the tokenizer's way"
import torch


def encode_batch(examples, tokenizer, max_length):
    if len(examples) == 0:
        raise ValueError("no examples")
    texts = [example["text"] for example in examples]
    ids = tokenizer(texts, add_special_tokens=False)["input_ids"]
    room = max_length - tokenizer.num_special_tokens_to_add()
    texts = [tokenizer.decode(row[:room]) for row in ids]
    batch = tokenizer(
        texts,
        padding=True,
        padding_side="right",
        return_attention_mask=True,
        return_tensors="pt",
    )
    batch["labels"] = torch.tensor([example["label"] for example in examples])
    return batch
