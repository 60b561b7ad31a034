# names: sequence-ids-compared-by-bits
# breaks: "both belong to the same example"
# A third example (3 = 0b11) sees the first and the second.

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
        length = len(example["input_ids"])
        if not length:
            raise ValueError(f"example {index} has no tokens")
        if length > max_length and too_long == "error":
            raise ValueError(f"example {index} has {length} tokens, more than {max_length}")
        cut.append((example["input_ids"][:max_length], example["labels"][:max_length]))
    bins = []
    for ids, labels in sorted(cut, key=lambda pair: len(pair[0]), reverse=True):
        for bin_ in bins:
            if len(bin_["input_ids"]) + len(ids) <= max_length:
                break
        else:
            bin_ = {"input_ids": [], "labels": [], "position_ids": [], "sequence_ids": []}
            bins.append(bin_)
        number = max(bin_["sequence_ids"], default=0) + 1
        bin_["input_ids"] += ids
        bin_["labels"] += [IGNORE_INDEX, *labels[1:]]
        bin_["position_ids"] += range(len(ids))
        bin_["sequence_ids"] += [number] * len(ids)
    for bin_ in bins:
        rest = max_length - len(bin_["input_ids"])
        for name, filler in (
            ("input_ids", pad_token_id),
            ("labels", IGNORE_INDEX),
            ("position_ids", 0),
            ("sequence_ids", 0),
        ):
            bin_[name] += [filler] * rest
    return bins


def attention_mask(pack: dict[str, list[int]]) -> BoolTensor:
    ids = torch.tensor(pack["sequence_ids"])
    return (((ids[:, None] & ids[None, :]) != 0) & (ids != 0)[:, None]).tril()
