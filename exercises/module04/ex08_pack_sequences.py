"""4.08 · Pack sequences: several examples in one row of fixed length, so that little of it is padding.

Each example keeps its own positions and sees itself only: packed or alone, it gives the same loss.
"""

import torch
from torch import BoolTensor

IGNORE_INDEX = -100


def pack(
    examples: list[dict[str, list[int]]], max_length: int, *, pad_token_id: int, too_long: str = "error"
) -> list[dict[str, list[int]]]:
    """Put whole examples together into packs of `max_length` tokens, few of which are padding.

    Args:
        examples: one or more of `{"input_ids": [...], "labels": [...]}`, both of one length, at least 1. A label
            is the id at its own place (models of transformers shift inside) or -100.
        max_length: the number of entries of each pack.
        pad_token_id: the id that fills what is left over. Examples may contain it too.
        too_long: what happens to an example of more than `max_length` tokens: with "error" it is a ValueError;
            with "truncate" the example is cut, and its first `max_length` tokens and labels are kept.

    Returns:
        Packs: dicts of four lists of exactly `max_length` integers. In each pack the examples stand one after
        the other, then comes the padding.

        - `input_ids`: the ids of the examples, then `pad_token_id`.
        - `labels`: the labels of the examples, but -100 at the first token of each: there the model would have
          to predict it from the last token of another example. -100 on padding.
        - `position_ids`: 0, 1, 2, … from the beginning of each example. 0 on padding.
        - `sequence_ids`: 1 on the first example of the pack, 2 on the second, and so on; from 1 again in the next
          pack. 0 on padding.

        Every example stands whole in exactly one pack. Their order within and across packs is free. There are at
        most ⌊11/9 · OPT + 6/9⌋ packs, OPT being the fewest possible. First-fit decreasing guarantees that: take
        the examples from the longest to the shortest, and put each into the first pack with enough room, or into
        a new one if there is none.

    Raises:
        ValueError: if `examples` is empty, if an example has no tokens, or if one is too long and `too_long` is
            "error". The message about a long one holds its length or its index.

    Examples are not changed.

    Method: Krell et al., Efficient Sequence Packing without Cross-contamination, https://arxiv.org/abs/2107.02027;
    the bound: Dósa, The Tight Bound of First Fit Decreasing Bin-Packing Algorithm Is FFD(I) ≤ 11/9·OPT(I) + 6/9 (2007)
    """
    # TODO: longest first: cut or refuse, find the first pack with room or open one, append; pad at the end.
    raise NotImplementedError("TODO")


def attention_mask(pack: dict[str, list[int]]) -> BoolTensor:
    """Return which tokens of a pack see which: a mask of dtype bool and shape `[T, T]`.

    Entry `[i, j]` is True where the token at place i attends to the one at place j: j is i or stands before it,
    both belong to the same example, and neither is padding. So the rows of padding are all False. T is the number
    of the pack's `sequence_ids`, whose numbers from 1 say which example a token belongs to (0: none).

    The pack is not changed.

    Method: https://arxiv.org/abs/2107.02027
    """
    # TODO: same sequence id, not 0, and not later.
    raise NotImplementedError("TODO")
