# names: position-0-counted
# breaks: "from position 1 on (nothing predicts position 0, whatever its label is)"
# The labels are counted before position 0 is cut off.
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedTokenizerBase

IGNORE_INDEX = -100  # A label that does not count; `F.cross_entropy` leaves it out by default.


def build_example(
    messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> dict[str, list[int]]:
    if not messages:
        raise ValueError("no message")
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids = encoded["input_ids"]
    labels = [IGNORE_INDEX] * len(ids)
    for i, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        start = len(tokenizer.apply_chat_template(messages[:i], tokenize=False, add_generation_prompt=True))
        stop = text.index(tokenizer.eos_token, start) + len(tokenizer.eos_token)
        for k, (left, right) in enumerate(encoded["offset_mapping"]):
            if right > start and left < stop:
                labels[k] = ids[k]
    ids, labels = ids[:max_length], labels[:max_length]
    if all(label == IGNORE_INDEX for label in labels):
        raise ValueError(f"no label is left of max_length {max_length} tokens")
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}


def collate(examples: list[dict[str, list[int]]], pad_token_id: int) -> dict[str, Tensor]:
    if not examples:
        raise ValueError("no examples")
    longest = max(len(e["input_ids"]) for e in examples)
    fills = {"input_ids": pad_token_id, "attention_mask": 0, "labels": IGNORE_INDEX}
    return {
        key: torch.tensor([e[key] + [fill] * (longest - len(e[key])) for e in examples], dtype=torch.int64)
        for key, fill in fills.items()
    }


def causal_lm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    count = (labels != IGNORE_INDEX).sum()
    logits, labels = logits[:, :-1], labels[:, 1:]
    total = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORE_INDEX, reduction="sum")
    return total / count.clamp(min=1)
