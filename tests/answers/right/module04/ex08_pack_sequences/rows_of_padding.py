"""Rows that are padding from the start and are written into; within a pack the shortest example comes first."""

from dataclasses import dataclass, field

import torch


@dataclass
class Bin:
    free: int
    members: list = field(default_factory=list)


def pack(examples, max_length, *, pad_token_id, too_long="error"):
    if len(examples) == 0:
        raise ValueError("examples must not be empty")
    lengths = [len(example["input_ids"]) for example in examples]
    if min(lengths) == 0:
        raise ValueError(f"example {lengths.index(0)} is empty")
    if max(lengths) > max_length and too_long != "truncate":
        raise ValueError(f"too long: {max(lengths)} tokens, at most {max_length}")
    lengths = [min(length, max_length) for length in lengths]
    bins = []
    for index in sorted(range(len(examples)), key=lengths.__getitem__)[::-1]:
        for candidate in bins:
            if candidate.free >= lengths[index]:
                break
        else:
            candidate = Bin(max_length)
            bins.append(candidate)
        candidate.members.insert(0, index)
        candidate.free -= lengths[index]
    return [write(examples, lengths, one.members, max_length, pad_token_id) for one in bins]


def write(examples, lengths, members, size, pad):
    rows = {
        "input_ids": [pad] * size,
        "labels": [-100] * size,
        "position_ids": [0] * size,
        "sequence_ids": [0] * size,
        "attention_mask": [0] * size,
    }
    start = 0
    for number, index in enumerate(members, start=1):
        for k in range(lengths[index]):
            rows["input_ids"][start + k] = examples[index]["input_ids"][k]
            rows["labels"][start + k] = examples[index]["labels"][k] if k else -100
            rows["position_ids"][start + k] = k
            rows["sequence_ids"][start + k] = number
            rows["attention_mask"][start + k] = 1
        start += lengths[index]
    return rows


def attention_mask(pack):
    ids = pack["sequence_ids"]
    mask = torch.zeros(len(ids), len(ids), dtype=torch.bool)
    for i, own in enumerate(ids):
        for j in range(i + 1):
            mask[i, j] = own != 0 and ids[j] == own
    return mask
