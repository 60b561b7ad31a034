# names: texts-cleaned
# breaks: "as the tokenizer gives it"
import torch


def encode_batch(examples, tokenizer, max_length):
    if not examples:
        raise ValueError("no examples")
    batch = tokenizer(
        [example["text"].replace("<br />", " ") for example in examples],
        padding=True,
        padding_side="right",
        truncation=True,
        max_length=max_length,
        return_attention_mask=True,
        return_tensors="pt",
    )
    return {**batch, "labels": torch.tensor([example["label"] for example in examples])}
