# names: emptiest-pack-first
# breaks: "There are at most ⌊11/9"
# A heap hands out the pack with the most room.
import heapq

import torch
from torch import BoolTensor

IGNORE_INDEX = -100


def pack(
    examples: list[dict[str, list[int]]], max_length: int, *, pad_token_id: int, too_long: str = "error"
) -> list[dict[str, list[int]]]:
    if not examples:
        raise ValueError("no examples")
    cut = []
    for index, example in enumerate(examples):
        ids, labels = (list(example["input_ids"]), list(example["labels"]))
        if not ids:
            raise ValueError(f"example {index} has no tokens")
        if len(ids) > max_length:
            if too_long == "error":
                raise ValueError(f"example {index} has {len(ids)} tokens")
            ids, labels = (ids[:max_length], labels[:max_length])
        cut.append((ids, labels))
    cut.sort(key=lambda pair: -len(pair[0]))
    bins, heap = ([], [])
    for pair in cut:
        if heap and heap[0][0] + len(pair[0]) <= max_length:
            used, b = heapq.heappop(heap)
        else:
            used, b = (0, len(bins))
            bins.append([])
        bins[b].append(pair)
        heapq.heappush(heap, (used + len(pair[0]), b))
    packs = []
    for members in bins:
        row = {"input_ids": [], "labels": [], "position_ids": [], "sequence_ids": []}
        for number, (ids, labels) in enumerate(members, start=1):
            row["input_ids"] += ids
            row["labels"] += [IGNORE_INDEX] + labels[1:]
            row["position_ids"] += range(len(ids))
            row["sequence_ids"] += [number] * len(ids)
        rest = max_length - len(row["input_ids"])
        row["input_ids"] += [pad_token_id] * rest
        row["labels"] += [IGNORE_INDEX] * rest
        row["position_ids"] += [0] * rest
        row["sequence_ids"] += [0] * rest
        packs.append(row)
    return packs


def attention_mask(pack: dict[str, list[int]]) -> BoolTensor:
    ids = torch.tensor(pack["sequence_ids"])
    same = ids[:, None] == ids[None, :]
    return (same & (ids != 0)[:, None]).tril()
