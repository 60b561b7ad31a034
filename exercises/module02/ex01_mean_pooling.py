"""2.01 · Mean pooling: turn one vector per token into one vector per text.

Sentence encoders do this before they compare texts; padding must have no effect on it.
"""

from torch import Tensor


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """Return the mean of the hidden states of the real tokens, for each text of a batch.

    Args:
        hidden: `[B, T, H]`, of any floating dtype; B, T and H are at least 1. It need not be contiguous.
        attention_mask: `[B, T]`, int64 or bool: 1 (True) where a token is real, 0 (False) where it is padding. The
            real tokens of a text may be anywhere: padding comes on either side or in between.

    Returns:
        `[B, H]`, of hidden's dtype and on its device, even if that is not torch's default device. A text without a
        real token gets zeros.

    The sum and the division are computed in at least float32, whatever the dtype of `hidden`, and only the result
    is converted to that dtype.

    The values in the padding never matter, not even inf or nan. The result is attached to the graph of `hidden`:
    the n real tokens of a text each get 1/n of the gradient of its mean; padding gets exactly 0. Neither `hidden`
    nor `attention_mask` is changed.

    Method: Reimers and Gurevych, Sentence-BERT (2019), section 3, https://arxiv.org/abs/1908.10084
    """
    # TODO: set padding to 0, sum over the tokens in float32, divide by the number of real ones.
    raise NotImplementedError("TODO")
