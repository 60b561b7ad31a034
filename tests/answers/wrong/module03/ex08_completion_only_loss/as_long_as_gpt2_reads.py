# names: cut-at-a-limit-of-its-own
# breaks: "More tokens than `max_length` are cut on the right"
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedTokenizerBase

IGNORE_INDEX = -100  # A label that does not count; `F.cross_entropy` leaves it out by default.


def build_example(
    messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> dict[str, list[int]]:
    if not messages:
        raise ValueError("there are no messages")

    def encode(turns, **options):
        text = tokenizer.apply_chat_template(turns, tokenize=False, **options)
        return tokenizer(text, add_special_tokens=False, truncation=True, max_length=1024)["input_ids"]

    ids = encode(messages)
    labels = [IGNORE_INDEX] * len(ids)
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(encode(messages[:i], add_generation_prompt=True))  # The header is part of the prompt.
            end = ids.index(tokenizer.eos_token_id, start) + 1
            labels[start:end] = ids[start:end]
    ids, labels = ids[:max_length], labels[:max_length]
    if all(label == IGNORE_INDEX for label in labels):
        raise ValueError(f"no token of an assistant's turn is left within max_length={max_length}")
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}


def collate(examples: list[dict[str, list[int]]], pad_token_id: int) -> dict[str, Tensor]:
    longest = max(len(example["input_ids"]) for example in examples)  # max() of nothing is a ValueError.
    padding = {"input_ids": pad_token_id, "attention_mask": 0, "labels": IGNORE_INDEX}
    return {
        name: torch.tensor([example[name] + [value] * (longest - len(example[name])) for example in examples])
        for name, value in padding.items()
    }


def causal_lm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    predictions, targets = logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
    total = F.cross_entropy(predictions, targets, reduction="sum")  # What is -100 is left out.
    return total / (targets != IGNORE_INDEX).sum().clamp(min=1)
