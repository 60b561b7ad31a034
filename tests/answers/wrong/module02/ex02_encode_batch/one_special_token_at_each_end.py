# names: unlisted
# breaks: "the special tokens stay"
# Shortens by hand, with one special token at the beginning and one at the end.

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


def encode_batch(examples: list[dict], tokenizer: PreTrainedTokenizerBase, max_length: int) -> dict[str, Tensor]:
    if not examples:
        raise ValueError("examples is empty: a batch needs at least one")
    texts = [example["text"] for example in examples]
    rows = []
    for text in texts:
        ids = tokenizer(text)["input_ids"]
        if len(ids) > max_length:
            left = tokenizer.truncation_side == "left"
            ids = ids[:1] + ids[1 - max_length :] if left else ids[: max_length - 1] + ids[-1:]
        rows.append(ids)
    batch = tokenizer.pad(
        {"input_ids": rows},
        padding="longest",
        padding_side="right",
        return_attention_mask=True,  # Not every tokenizer gives a mask by itself.
        return_tensors="pt",
    )
    labels = torch.tensor([example["label"] for example in examples])
    return {**batch, "labels": labels}
