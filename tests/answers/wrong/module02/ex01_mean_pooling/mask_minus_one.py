# names: arithmetic-on-a-bool-mask
# breaks: "int64 or bool"


def mean_pool(hidden, attention_mask):
    mask = attention_mask.unsqueeze(-1).bool()
    summed = hidden.float().masked_fill((1 - attention_mask).unsqueeze(-1) == 1, 0.0).sum(dim=1)
    counts = mask.sum(dim=1).clamp(min=1)
    return (summed / counts).to(hidden.dtype)
