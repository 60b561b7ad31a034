# names: int-mask-inverted-bitwise
# breaks: "`[B, T]`, int64 or bool"


def mean_pool(hidden, attention_mask):
    mask = attention_mask.unsqueeze(-1)
    total = hidden.masked_fill((~mask).bool(), 0).float().sum(dim=1)
    count = mask.sum(dim=1).clamp(min=1)
    return (total / count).to(hidden.dtype)
