# names: labels-in-a-small-type
# breaks: "`labels` `[B]`"
# Labels pass through float32, which doesn't hold 2**24 + 1.

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


def encode_batch(examples: list[dict], tokenizer: PreTrainedTokenizerBase, max_length: int) -> dict[str, Tensor]:
    if not examples:
        raise ValueError("examples is empty: a batch needs at least one")
    texts = [example["text"] for example in examples]
    batch = tokenizer(
        texts,
        padding="longest",
        padding_side="right",
        truncation=True,
        max_length=max_length,
        return_attention_mask=True,  # Not every tokenizer gives a mask by itself.
        return_tensors="pt",
    )
    labels = torch.tensor([example["label"] for example in examples], dtype=torch.float32).long()
    return {**batch, "labels": labels}
