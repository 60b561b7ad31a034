# names: next-fit
# breaks: "at most ⌊11/9"
import torch


def flush(buffer, max_length, pad):
    ids, labels, positions, numbers = [], [], [], []
    for n, (i, y) in enumerate(buffer, 1):
        ids += i
        labels += [-100] + y[1:]
        positions += range(len(i))
        numbers += [n] * len(i)
    gap = max_length - len(ids)
    return {
        "input_ids": ids + [pad] * gap,
        "labels": labels + [-100] * gap,
        "position_ids": positions + [0] * gap,
        "sequence_ids": numbers + [0] * gap,
    }


def pack(examples, max_length, *, pad_token_id, too_long="error"):
    if not examples:
        raise ValueError("no examples")
    packs, buffer, used = [], [], 0
    for example in examples:
        ids, labels = example["input_ids"], example["labels"]
        if too_long == "truncate":
            ids, labels = ids[:max_length], labels[:max_length]
        if len(ids) == 0 or len(ids) > max_length:
            raise ValueError(f"bad length {len(ids)}")
        if used + len(ids) > max_length:
            packs.append(flush(buffer, max_length, pad_token_id))
            buffer, used = [], 0
        buffer.append((ids, labels))
        used += len(ids)
    packs.append(flush(buffer, max_length, pad_token_id))
    return packs


def attention_mask(pack):
    s = torch.tensor(pack["sequence_ids"])
    return torch.tril((s[:, None] == s[None, :]) & (s != 0))
