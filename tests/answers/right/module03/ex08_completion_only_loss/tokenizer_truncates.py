"""The tokenizer cuts, with its side set for the call; a mask of 0 and 1 is kept beside the ids; a loop over rows."""

import torch
import torch.nn.functional as F


def build_example(messages, tokenizer, max_length):
    if not messages:
        raise ValueError("an empty conversation")
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=False)
    side = tokenizer.truncation_side
    tokenizer.truncation_side = "right"
    try:
        ids = tokenizer(text, add_special_tokens=False, truncation=True, max_length=max_length).input_ids
    finally:
        tokenizer.truncation_side = side
    mask = [0] * len(ids)
    for turn, message in enumerate(messages):
        if message["role"] == "assistant":
            before = tokenizer.apply_chat_template(messages[:turn], tokenize=False, add_generation_prompt=True)
            position = len(tokenizer.tokenize(before))
            while position < len(ids):
                mask[position] = 1
                if ids[position] == tokenizer.eos_token_id:
                    break
                position += 1
    if not sum(mask):
        raise ValueError(f"nothing of the assistant within {max_length} tokens")
    labels = [i if m else -100 for i, m in zip(ids, mask, strict=True)]
    return {"labels": labels, "input_ids": ids, "attention_mask": [1] * len(ids)}


def collate(examples, pad_token_id):
    if not examples:
        raise ValueError("no examples")
    ids, mask, labels = [], [], []
    width = max([len(example["input_ids"]) for example in examples])
    for example in examples:
        missing = width - len(example["input_ids"])
        ids.append([*example["input_ids"], *[pad_token_id] * missing])
        mask.append([*example["attention_mask"], *[0] * missing])
        labels.append([*example["labels"], *[-100] * missing])
    return {
        "input_ids": torch.LongTensor(ids),
        "attention_mask": torch.LongTensor(mask),
        "labels": torch.LongTensor(labels),
    }


def causal_lm_loss(logits, labels):
    total = logits.sum() * 0
    count = 0
    for row, targets in zip(logits, labels, strict=True):
        counted = int((targets[1:] != -100).sum())
        if counted:
            total = total + F.cross_entropy(row[:-1], targets[1:]) * counted
            count += counted
    return total / max(count, 1)
