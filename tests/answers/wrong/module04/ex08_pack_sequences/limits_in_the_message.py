# names: error-without-the-example
# breaks: "The message about a long one holds its length or its index."
# The message says 1 to 45, and nothing of the example.
import torch
from torch import BoolTensor

IGNORE_INDEX = -100


def pack(
    examples: list[dict[str, list[int]]], max_length: int, *, pad_token_id: int, too_long: str = "error"
) -> list[dict[str, list[int]]]:
    if not examples:
        raise ValueError("examples is empty: there is nothing to pack")
    packs: list[dict[str, list[int]]] = []
    for example in sorted(examples, key=lambda example: len(example["input_ids"]), reverse=True):
        ids, labels = example["input_ids"], example["labels"]
        if too_long == "truncate":
            ids, labels = ids[:max_length], labels[:max_length]
        if not 0 < len(ids) <= max_length:
            raise ValueError(f"an example must have 1 to {max_length} tokens")
        packed = next((p for p in packs if len(p["input_ids"]) + len(ids) <= max_length), None)
        if packed is None:
            packed = {"input_ids": [], "labels": [], "position_ids": [], "sequence_ids": []}
            packs.append(packed)
        packed["input_ids"] += ids
        packed["labels"] += [IGNORE_INDEX, *labels[1:]]
        packed["position_ids"] += range(len(ids))
        packed["sequence_ids"] += [max(packed["sequence_ids"], default=0) + 1] * len(ids)
    padding = {"input_ids": pad_token_id, "labels": IGNORE_INDEX, "position_ids": 0, "sequence_ids": 0}
    for packed in packs:
        for name, value in padding.items():
            packed[name] += [value] * (max_length - len(packed[name]))
    return packs


def attention_mask(pack: dict[str, list[int]]) -> BoolTensor:
    ids = torch.tensor(pack["sequence_ids"])
    same = (ids[:, None] == ids[None, :]) & (ids[:, None] != 0)
    return same.tril()
