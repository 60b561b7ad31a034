"""2.02 · Encode a batch: turn texts of different lengths into tensors of one length.

Padding, truncation, mask and labels: the four things that stand between a list of texts and a model.
"""

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


def encode_batch(examples: list[dict], tokenizer: PreTrainedTokenizerBase, max_length: int) -> dict[str, Tensor]:
    """Return the tensors that a transformers classifier takes for these examples.

    Args:
        examples: one or more of `{"text": str, "label": int}`. A text may be empty, and the same text may occur
            twice, with different labels.
        tokenizer: a transformers tokenizer that has a pad token and puts special tokens around each text. Some
            return a mask only when asked for one.
        max_length: the most tokens that a text may have, including the special tokens.

    Returns:
        A mapping (a dict or the tokenizer's own `BatchEncoding`) with at least these keys, all int64; row i
        belongs to example i. Other keys of the tokenizer, such as `token_type_ids`, may be there too.

        - `input_ids` `[B, T]`: each text with its special tokens, as the tokenizer gives it, then padding. A text
          of more than `max_length` tokens is shortened the tokenizer's way: words are dropped, the special tokens
          stay. T is the length of the longest row after that, no more. Padding comes on the right, whatever
          `tokenizer.padding_side` says.
        - `attention_mask` `[B, T]`: 1 at every token of a text, special ones too, 0 at padding; even if texts
          contain the pad token as well, for example as the token that ends them.
        - `labels` `[B]`.

    Raises:
        ValueError: if `examples` is empty.

    On return, the tokenizer is unchanged: sides of padding and truncation, `model_max_length`, special tokens and
    vocabulary. The list and its dicts are not changed. You may leave tokenizing, padding and truncating to the
    tokenizer's own call.

    Method: https://huggingface.co/docs/transformers/pad_truncation
    """
    # TODO: no empty batch; the tokenizer pads to the longest, on the right, and truncates; add the labels.
    raise NotImplementedError("TODO")
