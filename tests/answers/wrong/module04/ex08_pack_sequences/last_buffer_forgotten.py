# names: last-pack-dropped
# breaks: "Every example is whole, in exactly one pack."
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
    data.sort(key=lambda d: len(d[0]), reverse=True)
    groups = []
    for d in data:
        for g in groups:
            if sum(len(x[0]) for x in g) + len(d[0]) <= max_length:
                g.append(d)
                break
        else:
            groups.append([d])
    packs, current = [], None
    for g in groups:
        if current is not None:
            packs.append(current)
        current = {"input_ids": [], "labels": [], "position_ids": [], "sequence_ids": []}
        for k, (ids, labels) in enumerate(g, 1):
            current["input_ids"] += ids
            current["labels"] += [-100] + labels[1:]
            current["position_ids"] += range(len(ids))
            current["sequence_ids"] += [k] * len(ids)
        gap = max_length - len(current["input_ids"])
        for key, value in (("input_ids", pad_token_id), ("labels", -100), ("position_ids", 0), ("sequence_ids", 0)):
            current[key] += [value] * gap
    return packs


def attention_mask(pack):
    s = torch.tensor(pack["sequence_ids"])
    return torch.tril((s[:, None] == s[None, :]) & (s != 0))
