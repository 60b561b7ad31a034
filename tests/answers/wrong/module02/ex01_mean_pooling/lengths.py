# names: padding-only-on-the-right
# breaks: "The real tokens of a text may be anywhere"


def mean_pool(hidden, attention_mask):
    out = hidden.new_zeros(hidden.shape[0], hidden.shape[2])
    for i, n in enumerate(attention_mask.sum(1).tolist()):
        if n:
            out[i] = hidden[i, :n].float().mean(0).to(hidden.dtype)
    return out
