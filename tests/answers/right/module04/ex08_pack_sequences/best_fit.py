"""Best fit decreasing: the fullest pack that still has room; lengths first, rows afterwards."""

from itertools import chain

import torch


def pack(examples, max_length, *, pad_token_id, too_long="error"):
    if not examples:
        raise ValueError("no examples")
    pairs = []
    for index, example in enumerate(examples):
        ids, labels = list(example["input_ids"]), list(example["labels"])
        if not ids:
            raise ValueError(f"examples[{index}] has no tokens")
        if len(ids) > max_length:
            if too_long == "error":
                raise ValueError(f"examples[{index}] is longer than {max_length}")
            ids, labels = ids[:max_length], labels[:max_length]
        pairs.append((ids, labels))
    bins, used = [], []
    for pair in sorted(pairs, key=lambda pair: -len(pair[0])):
        fitting = [i for i, n in enumerate(used) if n + len(pair[0]) <= max_length]
        if fitting:
            best = max(fitting, key=used.__getitem__)
            bins[best].append(pair)
            used[best] += len(pair[0])
        else:
            bins.append([pair])
            used.append(len(pair[0]))
    packs = []
    for content, n in zip(bins, used, strict=True):
        gap = max_length - n
        packs.append(
            {
                "input_ids": list(chain.from_iterable(ids for ids, _ in content)) + [pad_token_id] * gap,
                "labels": list(chain.from_iterable([-100] + labels[1:] for _, labels in content)) + [-100] * gap,
                "position_ids": list(chain.from_iterable(range(len(ids)) for ids, _ in content)) + [0] * gap,
                "sequence_ids": [k for k, (ids, _) in enumerate(content, 1) for _ in ids] + [0] * gap,
            }
        )
    return packs


def attention_mask(pack):
    sequence = torch.as_tensor(pack["sequence_ids"])
    place = torch.arange(sequence.numel())
    causal = place.unsqueeze(1) >= place.unsqueeze(0)
    return causal & sequence.unsqueeze(1).eq(sequence.unsqueeze(0)) & sequence.gt(0).unsqueeze(0)
