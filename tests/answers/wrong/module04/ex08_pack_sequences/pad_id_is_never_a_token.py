# names: masked-by-the-padding-id
# breaks: "Examples may contain it too."
# Wherever the pad id is, the sequence id is 0 and the label -100.

"""4.08 · Pack sequences: put several examples in one row of fixed length, to waste little on padding.

Each example keeps its own positions and sees only itself: packed or alone, it gives the same loss.
"""

import torch
from torch import BoolTensor

IGNORE_INDEX = -100


def pack(
    examples: list[dict[str, list[int]]], max_length: int, *, pad_token_id: int, too_long: str = "error"
) -> list[dict[str, list[int]]]:
    if not examples:
        raise ValueError("there are no examples")
    cut = []
    for index, example in enumerate(examples):
        ids, labels = list(example["input_ids"]), list(example["labels"])
        if not ids:
            raise ValueError(f"example {index} has no tokens")
        if len(ids) > max_length:
            if too_long == "error":
                raise ValueError(f"example {index} has {len(ids)} tokens, more than {max_length}")
            ids, labels = ids[:max_length], labels[:max_length]
        cut.append((ids, labels))
    packs = []
    for ids, labels in sorted(cut, key=lambda pair: len(pair[0]), reverse=True):
        for pack in packs:
            if len(pack["input_ids"]) + len(ids) <= max_length:
                break
        else:
            pack = {"input_ids": [], "labels": [], "position_ids": [], "sequence_ids": []}
            packs.append(pack)
        number = max(pack["sequence_ids"], default=0) + 1
        pack["input_ids"] += ids
        pack["labels"] += [IGNORE_INDEX, *labels[1:]]
        pack["position_ids"] += range(len(ids))
        pack["sequence_ids"] += [number] * len(ids)
    for pack in packs:
        rest = max_length - len(pack["input_ids"])
        pack["input_ids"] += [pad_token_id] * rest
        pack["labels"] += [IGNORE_INDEX] * rest
        pack["position_ids"] += [0] * rest
        pack["sequence_ids"] += [0] * rest
        for place, token in enumerate(pack["input_ids"]):
            if token == pad_token_id:
                pack["labels"][place], pack["sequence_ids"][place] = IGNORE_INDEX, 0
    return packs


def attention_mask(pack: dict[str, list[int]]) -> BoolTensor:
    ids = torch.tensor(pack["sequence_ids"])
    same = (ids[:, None] == ids[None, :]) & (ids[:, None] != 0)
    return same.tril()
