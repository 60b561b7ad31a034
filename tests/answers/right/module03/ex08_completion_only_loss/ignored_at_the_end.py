"""The labels are shifted with a -100 at the end, as transformers does; classes as dimension 1."""

import torch
import torch.nn.functional as F


def build_example(messages, tokenizer, max_length):
    def length(*args, **kwargs):
        return len(tokenizer.apply_chat_template(*args, tokenize=True, **kwargs)["input_ids"])

    roles = [m["role"] for m in messages]
    if "assistant" not in roles:
        raise ValueError(f"no answer to learn, whatever max_length={max_length} is")
    rendered = tokenizer.apply_chat_template(messages, tokenize=False)
    ids = tokenizer.encode(rendered, add_special_tokens=False)
    keep = torch.zeros(len(ids), dtype=torch.bool)
    for i in (i for i, role in enumerate(roles) if role == "assistant"):
        start, stop = length(messages[:i], add_generation_prompt=True), length(messages[: i + 1])
        while ids[stop - 1] != tokenizer.eos_token_id:
            stop -= 1
        keep[start:stop] = True
    labels = torch.tensor(ids).masked_fill(~keep, -100)[:max_length]
    if bool((labels == -100).all()):
        raise ValueError(f"max_length={max_length} cuts all answers")
    ids = ids[:max_length]
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels.tolist()}


def collate(examples, pad_token_id):
    if not examples:
        raise ValueError("a batch of nothing")
    tensors = [{k: torch.tensor(v, dtype=torch.int64) for k, v in e.items()} for e in examples]
    longest = max(t["input_ids"].numel() for t in tensors)

    def stacked(name, value):
        return torch.stack([F.pad(t[name], (0, longest - t[name].numel()), value=value) for t in tensors])

    return {
        "input_ids": stacked("input_ids", pad_token_id),
        "attention_mask": stacked("attention_mask", 0),
        "labels": stacked("labels", -100),
    }


def causal_lm_loss(logits, labels):
    shifted = F.pad(labels, (0, 1), value=-100)[..., 1:]
    losses = F.cross_entropy(logits.transpose(1, 2), shifted, reduction="none")
    return losses.sum() / (shifted >= 0).sum().clamp(min=1)
