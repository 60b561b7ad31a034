# names: padding-averaged-in-an-empty-text
# breaks: "A text without a real token gets zeros"


def mean_pool(hidden, attention_mask):
    scores = (attention_mask.bool().float() - 1) * 1000000000.0
    weights = scores.softmax(dim=1).unsqueeze(-1)
    return (
        (
            hidden.float().masked_fill(
                ~attention_mask.bool().unsqueeze(-1) & attention_mask.bool().any(1)[:, None, None], 0
            )
            * weights
        )
        .sum(1)
        .to(hidden.dtype)
    )
