import copy

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


def encode_batch(examples: list[dict], tokenizer: PreTrainedTokenizerBase, max_length: int) -> dict[str, Tensor]:
    if not examples:
        raise ValueError("no examples")
    own = copy.deepcopy(tokenizer)
    own.padding_side = "right"
    encoded = own(
        [example["text"] for example in examples],
        padding="longest",
        truncation="longest_first",
        max_length=max_length,
        return_attention_mask=True,
    )
    labels = [example["label"] for example in examples]
    return {
        "input_ids": torch.tensor(encoded["input_ids"]),
        "attention_mask": torch.tensor(encoded["attention_mask"]),
        "labels": torch.tensor(labels),
    }
