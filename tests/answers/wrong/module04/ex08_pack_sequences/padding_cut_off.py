# names: mask-without-the-padding
# breaks: "T is the length of the pack's `sequence_ids`"
import torch

IGNORE_INDEX = -100


def pack(examples, max_length, *, pad_token_id, too_long="error"):
    if not examples:
        raise ValueError("there are no examples")
    prepared = []
    for index, example in enumerate(examples):
        ids, labels = list(example["input_ids"]), list(example["labels"])
        if not ids:
            raise ValueError(f"example {index} is empty")
        if len(ids) > max_length:
            if too_long == "error":
                raise ValueError(f"example {index} has {len(ids)} tokens")
            ids, labels = ids[:max_length], labels[:max_length]
        labels[0] = IGNORE_INDEX
        prepared.append((ids, labels))
    prepared.sort(key=lambda pair: len(pair[0]), reverse=True)
    packs = []
    for ids, labels in prepared:
        for one in packs:
            if len(one["input_ids"]) + len(ids) <= max_length:
                break
        else:
            one = {"input_ids": [], "labels": [], "position_ids": [], "sequence_ids": [], "count": 0}
            packs.append(one)
        one["count"] += 1
        one["input_ids"] += ids
        one["labels"] += labels
        one["position_ids"] += list(range(len(ids)))
        one["sequence_ids"] += [one["count"]] * len(ids)
    for one in packs:
        del one["count"]
        missing = max_length - len(one["input_ids"])
        one["input_ids"] += [pad_token_id] * missing
        one["labels"] += [IGNORE_INDEX] * missing
        one["position_ids"] += [0] * missing
        one["sequence_ids"] += [0] * missing
    return packs


def attention_mask(pack):
    ids = torch.tensor([number for number in pack["sequence_ids"] if number])
    length = len(ids)
    mask = torch.zeros(length, length, dtype=torch.bool)
    for i in range(length):
        mask[i, : i + 1] = (ids[: i + 1] == ids[i]) & (ids[i] > 0)
    return mask
