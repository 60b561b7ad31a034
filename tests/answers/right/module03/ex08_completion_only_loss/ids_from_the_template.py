"""apply_chat_template makes the ids; each turn is what one more message adds; counted positions are selected."""

import torch
import torch.nn.functional as F


def build_example(messages, tokenizer, max_length):
    if not any(message["role"] == "assistant" for message in messages):
        raise ValueError(f"no assistant turn (max_length {max_length})")
    labels = []
    for count in range(1, len(messages) + 1):
        ids = list(tokenizer.apply_chat_template(messages[:count])["input_ids"])
        turn = ids[len(labels) :]
        if messages[count - 1]["role"] == "assistant":
            with_header = tokenizer.apply_chat_template(messages[: count - 1], add_generation_prompt=True)["input_ids"]
            header = len(with_header) - len(labels)
            after = turn[::-1].index(tokenizer.eos_token_id)
            labels += [-100] * header + turn[header : len(turn) - after] + [-100] * after
        else:
            labels += [-100] * len(turn)
    del ids[max_length:], labels[max_length:]
    if max(labels) < 0:
        raise ValueError(f"cut to {max_length} tokens, nothing of an answer is left")
    return dict(input_ids=ids, labels=labels, attention_mask=[1 for _ in ids])


def collate(examples, pad_token_id):
    if not examples:
        raise ValueError("examples is empty")
    shape = len(examples), max(len(e["labels"]) for e in examples)
    batch = {
        "input_ids": torch.full(shape, pad_token_id),
        "attention_mask": torch.zeros(shape, dtype=torch.long),
        "labels": torch.full(shape, -100),
    }
    for name, rows in batch.items():
        for row, example in zip(rows, examples, strict=True):
            row[: len(example[name])] = torch.tensor(example[name])
    return batch


def causal_lm_loss(logits, labels):
    keep = labels[:, 1:] != -100
    scores, targets = logits[:, :-1][keep], labels[:, 1:][keep]
    if len(targets) == 0:
        return scores.sum()
    return F.cross_entropy(scores, targets)
