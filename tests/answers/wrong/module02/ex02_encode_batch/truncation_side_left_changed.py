# names: tokenizer-changed
# breaks: "On return, the tokenizer is unchanged"
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


def encode_batch(examples: list[dict], tokenizer: PreTrainedTokenizerBase, max_length: int) -> dict[str, Tensor]:
    if not examples:
        raise ValueError("no examples")
    texts = [example["text"] for example in examples]
    side = tokenizer.padding_side
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    try:
        batch = tokenizer(
            texts, padding=True, truncation=True, max_length=max_length, return_attention_mask=True, return_tensors="pt"
        )
    finally:
        tokenizer.padding_side = side
    batch["labels"] = torch.tensor([example["label"] for example in examples], dtype=torch.int64)
    return batch
