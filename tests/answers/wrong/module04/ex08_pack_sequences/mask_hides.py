# names: mask-turned-round
# breaks: "Entry `[i, j]` is True where"
# True where a token must not look, as in torch.nn.Transformer's masks, and not where it may.
import torch


def pack(examples, max_length, *, pad_token_id, too_long="error"):
    if not examples:
        raise ValueError("no examples")
    packs, free = [], []
    for e in sorted(examples, key=lambda e: len(e["input_ids"]), reverse=True):
        ids, labels = e["input_ids"], e["labels"]
        if too_long == "truncate":
            ids, labels = ids[:max_length], labels[:max_length]
        if len(ids) == 0 or len(ids) > max_length:
            raise ValueError(f"{len(ids)} tokens")
        k = next((k for k, f in enumerate(free) if f >= len(ids)), None)
        if k is None:
            k = len(packs)
            packs.append([])
            free.append(max_length)
        packs[k].append((ids, [-100] + labels[1:]))
        free[k] -= len(ids)
    rows = []
    for content, f in zip(packs, free, strict=True):
        rows.append(
            {
                "input_ids": sum((c[0] for c in content), []) + [pad_token_id] * f,
                "labels": sum((c[1] for c in content), []) + [-100] * f,
                "position_ids": sum((list(range(len(c[0]))) for c in content), []) + [0] * f,
                "sequence_ids": sum(([n] * len(c[0]) for n, c in enumerate(content, 1)), []) + [0] * f,
            }
        )
    return rows


def attention_mask(pack):
    s = torch.tensor(pack["sequence_ids"])
    return ~torch.tril((s[:, None] == s[None, :]) & (s != 0))
