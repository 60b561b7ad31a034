# names: content-searched
# breaks: "for each assistant's content and for the end token directly after it"
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedTokenizerBase

IGNORE_INDEX = -100  # A label that does not count; `F.cross_entropy` leaves it out by default.


def build_example(
    messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> dict[str, list[int]]:
    text = tokenizer.apply_chat_template(messages, tokenize=False) if messages else ""
    coded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids = coded["input_ids"]
    labels = [IGNORE_INDEX] * len(ids)
    for message in messages:
        if message["role"] == "assistant":
            answer = message["content"] + tokenizer.eos_token
            first = text.index(answer)
            for place, (start, end) in enumerate(coded["offset_mapping"]):
                if start >= first and end <= first + len(answer):
                    labels[place] = ids[place]
    ids, labels = ids[:max_length], labels[:max_length]
    if set(labels) <= {IGNORE_INDEX}:
        raise ValueError(f"nothing to learn in {max_length} tokens")
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}


def collate(examples: list[dict[str, list[int]]], pad_token_id: int) -> dict[str, Tensor]:
    if not examples:
        raise ValueError("no examples")
    longest = max(len(example["input_ids"]) for example in examples)
    fills = {"input_ids": pad_token_id, "attention_mask": 0, "labels": IGNORE_INDEX}
    return {
        key: torch.tensor([example[key] + [fill] * (longest - len(example[key])) for example in examples])
        for key, fill in fills.items()
    }


def causal_lm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    scores, targets = logits[:, :-1], labels[:, 1:]
    total = F.cross_entropy(scores.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORE_INDEX, reduction="sum")
    return (total / (targets != IGNORE_INDEX).sum().clamp(min=1)).to(logits.dtype)
