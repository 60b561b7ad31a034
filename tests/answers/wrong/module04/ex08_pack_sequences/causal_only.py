# names: packing-cross-attention
# breaks: "both belong to the same example"
# A causal mask without padding, as one that knows nothing of examples.
import torch


def pack(examples, max_length, *, pad_token_id, too_long="error"):
    if not examples:
        raise ValueError("no examples")
    data = []
    for i, e in enumerate(examples):
        n = len(e["input_ids"])
        if n == 0 or (n > max_length and too_long == "error"):
            raise ValueError(f"example {i}: {n} tokens")
        data.append((e["input_ids"][:max_length], e["labels"][:max_length]))
    packs = []
    for ids, labels in sorted(data, key=lambda d: -len(d[0])):
        target = None
        for p in packs:
            if len(p["input_ids"]) + len(ids) <= max_length:
                target = p
                break
        if target is None:
            target = {"input_ids": [], "labels": [], "position_ids": [], "sequence_ids": []}
            packs.append(target)
        n = max(target["sequence_ids"] or [0]) + 1
        target["input_ids"].extend(ids)
        target["labels"].extend([-100, *labels[1:]])
        target["position_ids"].extend(range(len(ids)))
        target["sequence_ids"].extend([n] * len(ids))
    for p in packs:
        gap = max_length - len(p["input_ids"])
        p["input_ids"] += [pad_token_id] * gap
        p["labels"] += [-100] * gap
        p["position_ids"] += [0] * gap
        p["sequence_ids"] += [0] * gap
    return packs


def attention_mask(pack):
    real = torch.tensor(pack["sequence_ids"]) > 0
    return torch.ones(len(real), len(real)).tril().bool() & real[None, :] & real[:, None]
