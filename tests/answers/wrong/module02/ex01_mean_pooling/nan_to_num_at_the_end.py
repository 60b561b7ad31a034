# names: unlisted
# breaks: "The values in the padding never matter"
# Replaces nan in the result: an empty text is right then, and nan in the padding makes a 0 of a mean.


def mean_pool(hidden, attention_mask):
    mask = attention_mask.unsqueeze(-1)
    total = (hidden.float() * mask).sum(1)
    return (total / mask.sum(1)).nan_to_num(0.0, 0.0, 0.0).to(hidden.dtype)
