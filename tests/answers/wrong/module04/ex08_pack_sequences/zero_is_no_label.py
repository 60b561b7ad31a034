# names: zero-is-no-label
# breaks: "`labels`: the labels of the examples"
# A label of 0 is taken for none.

import torch


def pack(examples, max_length, *, pad_token_id, too_long="error"):
    if not len(examples):
        raise ValueError("no examples")
    pieces = []
    for number, example in enumerate(examples):
        size = len(example["input_ids"])
        if size == 0:
            raise ValueError(f"example {number} has no tokens")
        if size > max_length and too_long != "truncate":
            raise ValueError(f"example {number} has {size} tokens, more than {max_length}")
        pieces.append((example["input_ids"][:max_length], example["labels"][:max_length]))
    pieces.sort(key=lambda piece: -len(piece[0]))
    bins = []
    for piece in pieces:
        for bin in bins:
            if sum(len(p[0]) for p in bin) + len(piece[0]) <= max_length:
                bin.append(piece)
                break
        else:
            bins.append([piece])
    packs = []
    for bin in bins:
        out = {
            "input_ids": [pad_token_id] * max_length,
            "labels": [-100] * max_length,
            "position_ids": [0] * max_length,
            "sequence_ids": [0] * max_length,
        }
        at = 0
        for number, (ids, labels) in enumerate(bin, start=1):
            end = at + len(ids)
            out["input_ids"][at:end] = ids
            out["labels"][at + 1 : end] = [x or -100 for x in labels[1:]]
            out["position_ids"][at:end] = range(end - at)
            out["sequence_ids"][at:end] = [number] * (end - at)
            at = end
        packs.append(out)
    return packs


def attention_mask(pack):
    ids = pack["sequence_ids"]
    n = len(ids)
    return torch.tensor(
        [[ids[i] == ids[j] > 0 and j <= i for j in range(n)] for i in range(n)], dtype=torch.bool
    ).reshape(n, n)
