# names: capped-at-the-models-limit
# breaks: "A text of more than `max_length` tokens is shortened"
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


def encode_batch(examples: list[dict], tokenizer: PreTrainedTokenizerBase, max_length: int) -> dict[str, Tensor]:
    if not examples:
        raise ValueError("no examples")
    texts = [example["text"] for example in examples]
    max_length = min(max_length, tokenizer.model_max_length)
    batch = tokenizer(
        texts,
        padding=True,
        truncation=True,
        max_length=max_length,
        padding_side="right",
        return_attention_mask=True,
        return_tensors="pt",
    )
    batch["labels"] = torch.tensor([example["label"] for example in examples], dtype=torch.int64)
    return batch
