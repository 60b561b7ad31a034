# names: unlisted
# breaks: "each text with its special tokens, as the tokenizer gives it"
# Keeps the ids of a text it has seen, whatever the tokenizer and its limit.

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

SEEN = {}


def encode_batch(examples: list[dict], tokenizer: PreTrainedTokenizerBase, max_length: int) -> dict[str, Tensor]:
    if not examples:
        raise ValueError("examples is empty: a batch needs at least one")
    texts = [example["text"] for example in examples]
    for text in texts:
        if text not in SEEN:
            SEEN[text] = tokenizer(text, truncation=True, max_length=max_length)["input_ids"]
    batch = tokenizer.pad(
        {"input_ids": [SEEN[text] for text in texts]},
        padding="longest",
        padding_side="right",
        return_attention_mask=True,  # Not every tokenizer gives a mask by itself.
        return_tensors="pt",
    )
    labels = torch.tensor([example["label"] for example in examples])
    return {**batch, "labels": labels}
