# names: last-label-masked
# breaks: "but -100 at the first token of each"
# Masks the last label of each example and not the first of the next: the wrong side of the boundary.
import torch


def pack(examples, max_length, *, pad_token_id, too_long="error"):
    if not examples:
        raise ValueError("no examples")
    data = []
    for e in examples:
        n = len(e["input_ids"])
        if n == 0 or (n > max_length and too_long == "error"):
            raise ValueError(f"bad length {n}")
        data.append((e["input_ids"][:max_length], e["labels"][:max_length]))
    packs = []
    for ids, labels in sorted(data, key=lambda d: len(d[0]), reverse=True):
        for p in packs:
            if len(p["input_ids"]) + len(ids) <= max_length:
                break
        else:
            p = {"input_ids": [], "labels": [], "position_ids": [], "sequence_ids": []}
            packs.append(p)
        n = p["sequence_ids"][-1] + 1 if p["sequence_ids"] else 1
        p["input_ids"].extend(ids)
        p["labels"].extend(labels[:-1] + [-100])
        p["position_ids"].extend(range(len(ids)))
        p["sequence_ids"].extend([n] * len(ids))
    for p in packs:
        gap = max_length - len(p["input_ids"])
        p["input_ids"] += [pad_token_id] * gap
        p["labels"] += [-100] * gap
        p["position_ids"] += [0] * gap
        p["sequence_ids"] += [0] * gap
    return packs


def attention_mask(pack):
    s = torch.tensor(pack["sequence_ids"])
    return torch.tril((s[:, None] == s[None, :]) & (s != 0))
