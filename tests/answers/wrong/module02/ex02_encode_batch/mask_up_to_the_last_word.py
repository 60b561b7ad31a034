# names: unlisted
# breaks: "even if texts contain the pad token as well"
# Everything up to one behind the last token that isn't the pad token counts, if the pad token also ends texts.

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
    labels = torch.tensor([example["label"] for example in examples])
    ids = batch["input_ids"]
    places = torch.arange(ids.shape[1])
    last = (places * (ids != tokenizer.pad_token_id)).amax(dim=1, keepdim=True)
    ends = tokenizer.pad_token_id in (tokenizer.sep_token_id, tokenizer.eos_token_id)
    batch["attention_mask"] = (places <= last + int(ends)).long()
    return {**batch, "labels": labels}
