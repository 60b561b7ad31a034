# names: labels-renumbered
# breaks: "`labels` `[B]`"
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


def encode_batch(examples: list[dict], tokenizer: PreTrainedTokenizerBase, max_length: int) -> dict[str, Tensor]:
    if not examples:
        raise ValueError("no examples")
    texts = [example["text"] for example in examples]
    batch = tokenizer(
        texts,
        padding=True,
        truncation=True,
        max_length=max_length,
        padding_side="right",
        return_attention_mask=True,
        return_tensors="pt",
    )
    classes = sorted({example["label"] for example in examples})
    batch["labels"] = torch.tensor([classes.index(example["label"]) for example in examples])
    return batch
