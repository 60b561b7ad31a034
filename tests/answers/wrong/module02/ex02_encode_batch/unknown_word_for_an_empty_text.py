# names: empty-text-replaced
# breaks: "A text may be empty"
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


def encode_batch(examples: list[dict], tokenizer: PreTrainedTokenizerBase, max_length: int) -> dict[str, Tensor]:
    if not examples:
        raise ValueError("no examples")
    texts = [example["text"] or (tokenizer.unk_token or " ") for example in examples]
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
