# names: unlisted
# breaks: "the mean of the hidden states of its real tokens"
# The last position, as decoder models pool.


def mean_pool(hidden, attention_mask):
    return hidden[:, -1, :]
