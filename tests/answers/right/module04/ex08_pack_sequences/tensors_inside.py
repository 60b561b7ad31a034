"""Works on tensors and hands lists back; the mask from blocks of ones on the diagonal."""

import numpy as np
import torch


def pack(examples, max_length, *, pad_token_id, too_long="error"):
    if not examples:
        raise ValueError("[] given")
    rows = []
    for i, example in enumerate(examples):
        ids = torch.tensor(example["input_ids"], dtype=torch.long)
        labels = torch.tensor(example["labels"], dtype=torch.long)
        if too_long == "truncate":
            ids, labels = ids[:max_length], labels[:max_length]
        if ids.numel() == 0 or ids.numel() > max_length:
            raise ValueError(f"example {i}: {ids.numel()} tokens, allowed are 1 to {max_length}")
        labels[0] = -100
        rows.append((ids, labels))
    order = np.argsort([-len(ids) for ids, _ in rows], kind="stable")
    free, where = [], {}
    for i in order.tolist():
        need = len(rows[i][0])
        target = next((b for b in range(len(free)) if free[b] >= need), len(free))
        if target == len(free):
            free.append(max_length)
        free[target] -= need
        where.setdefault(target, []).append(i)
    packs = []
    for target in range(len(free)):
        parts = [rows[i] for i in where[target]]
        lengths = torch.tensor([len(ids) for ids, _ in parts] + [free[target]])
        numbers = torch.tensor([*range(1, len(parts) + 1), 0])
        fill = free[target]
        out = {
            "input_ids": torch.cat([ids for ids, _ in parts] + [torch.full((fill,), pad_token_id)]),
            "labels": torch.cat([labels for _, labels in parts] + [torch.full((fill,), -100)]),
            "position_ids": torch.cat([torch.arange(len(ids)) for ids, _ in parts] + [torch.zeros(fill).long()]),
            "sequence_ids": torch.repeat_interleave(numbers, lengths),
        }
        packs.append({name: row.tolist() for name, row in out.items()})
    return packs


def attention_mask(pack):
    ids = pack["sequence_ids"]
    lengths = [ids.count(number) for number in range(1, max(ids) + 1)]
    blocks = [torch.ones(n, n).tril() for n in lengths] + [torch.zeros(ids.count(0), ids.count(0))]
    return torch.block_diag(*[block for block in blocks if block.numel()]).bool()
