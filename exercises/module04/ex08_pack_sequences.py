"""4.08 · Pack sequences: put several examples in one row of fixed length, to waste little on padding.

Each example keeps its own positions and sees only itself: packed or alone, it gives the same loss.
"""

import torch
from torch import BoolTensor

IGNORE_INDEX = -100


def pack(
    examples: list[dict[str, list[int]]], max_length: int, *, pad_token_id: int, too_long: str = "error"
) -> list[dict[str, list[int]]]:
    """Put whole examples together into packs of `max_length` tokens with little padding.

    Args:
        examples: one or more of `{"input_ids": [...], "labels": [...]}`, both of one length, at least 1. A label
            is the id at its own place (transformers models shift the labels themselves) or -100.
        max_length: the number of entries in each pack.
        pad_token_id: the id that fills the rest of a pack. Examples may contain it too.
        too_long: what happens to an example of more than `max_length` tokens: "error" raises a ValueError;
            "truncate" cuts the example, keeping its first `max_length` tokens and labels.

    Returns:
        Packs: dicts of four lists of exactly `max_length` integers. In each pack the examples follow one
        another, and padding comes last.

        - `input_ids`: the ids of the examples, then `pad_token_id`.
        - `labels`: the labels of the examples, but -100 at the first token of each: the model would have to
          predict that token from the last token of another example. -100 on padding.
        - `position_ids`: 0, 1, 2, … from the beginning of each example. 0 on padding.
        - `sequence_ids`: 1 on the first example of the pack, 2 on the second, and so on; from 1 again in the next
          pack. 0 on padding.

        Every example is whole, in exactly one pack. Their order within and across packs is free. There are at
        most ⌊11/9 · OPT + 6/9⌋ packs, OPT being the fewest possible. First-fit decreasing guarantees that: take
        the examples from the longest to the shortest, and put each into the first pack with enough room, or into
        a new pack if there is none.

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
    """Return which tokens of a pack attend to which: a mask of dtype bool and shape `[T, T]`.

    Entry `[i, j]` is True where the token at place i attends to the one at place j: j is i or comes before it,
    both belong to the same example, and neither is padding. So the rows of padding are all False. T is the length
    of the pack's `sequence_ids`, which number the example of each token from 1 (0: padding).

    The pack is not changed.

    Method: https://arxiv.org/abs/2107.02027
    """
    # TODO: same sequence id, not 0, and not later.
    raise NotImplementedError("TODO")
