# names: mask-as-indices
# breaks: "1 (True) where a token is real"


def mean_pool(hidden, attention_mask):
    rows = []
    for states, mask in zip(hidden, attention_mask):
        real = states[mask]
        rows.append(real.float().sum(0) / max(1, int(mask.sum())))
    return __import__("torch").stack(rows).to(hidden.dtype)
