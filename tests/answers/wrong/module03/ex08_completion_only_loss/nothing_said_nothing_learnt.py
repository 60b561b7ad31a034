# names: empty-answer-skipped
# breaks: "an empty content has only its end token"
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import PreTrainedTokenizerBase

IGNORE_INDEX = -100  # A label that does not count; `F.cross_entropy` leaves it out by default.


def build_example(
    messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> dict[str, list[int]]:
    text = tokenizer.apply_chat_template(messages, tokenize=False) if messages else ""
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    labels = [IGNORE_INDEX] * len(ids)
    for turn, message in enumerate(messages):
        if message["role"] != "assistant" or not message["content"]:
            continue
        before = tokenizer.apply_chat_template(messages[:turn], tokenize=False, add_generation_prompt=True)
        start = len(tokenizer(before, add_special_tokens=False)["input_ids"])
        end = ids.index(tokenizer.eos_token_id, start)
        labels[start : end + 1] = ids[start : end + 1]
    ids, labels = ids[:max_length], labels[:max_length]
    if all(label == IGNORE_INDEX for label in labels):
        raise ValueError(f"no label is left within max_length = {max_length} tokens")
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
