# names: masked-by-the-padding-id
# breaks: "Examples may contain it too"
# Whatever has the padding id gets the label, position and sequence id of padding.
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
    bins = []
    for pair in cut:
        for members in bins:
            if sum((len(ids) for ids, _ in members)) + len(pair[0]) <= max_length:
                members.append(pair)
                break
        else:
            bins.append([pair])
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
        for i, token in enumerate(row["input_ids"]):
            if token == pad_token_id:
                row["labels"][i], row["position_ids"][i], row["sequence_ids"][i] = (IGNORE_INDEX, 0, 0)
        packs.append(row)
    return packs


def attention_mask(pack: dict[str, list[int]]) -> BoolTensor:
    ids = torch.tensor(pack["sequence_ids"])
    same = ids[:, None] == ids[None, :]
    return (same & (ids != 0)[:, None]).tril()
