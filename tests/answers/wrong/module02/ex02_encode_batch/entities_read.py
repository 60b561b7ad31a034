# names: texts-cleaned
# breaks: "each text with its special tokens, as the tokenizer gives it"
# Reads HTML entities: "&#102;ilm".

import html

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


def encode_batch(examples: list[dict], tokenizer: PreTrainedTokenizerBase, max_length: int) -> dict[str, Tensor]:
    if not examples:
        raise ValueError("examples is empty: a batch needs at least one")
    texts = [html.unescape(example["text"]) for example in examples]
    batch = tokenizer(
        texts,
        padding="longest",
        padding_side="right",
        truncation=True,
        max_length=max_length,
        return_attention_mask=True,  # Not every tokenizer gives a mask by itself.
        return_tensors="pt",
    )
    labels = torch.tensor([example["label"] for example in examples])
    return {**batch, "labels": labels}
