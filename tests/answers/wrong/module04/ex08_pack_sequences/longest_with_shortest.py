# names: longest-with-shortest
# breaks: "at most ⌊11/9"
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
    paired = []
    while prepared:
        room = max_length - len(prepared[0][0])
        paired.append([prepared.pop(0)])
        while prepared and len(prepared[-1][0]) <= room:
            room -= len(prepared[-1][0])
            paired[-1].append(prepared.pop())
    packs = []
    for pairs in paired:
        one = {"input_ids": [], "labels": [], "position_ids": [], "sequence_ids": [], "count": 0}
        packs.append(one)
        for ids, labels in pairs:
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
    ids = torch.tensor(pack["sequence_ids"])
    length = len(ids)
    mask = torch.zeros(length, length, dtype=torch.bool)
    for i in range(length):
        mask[i, : i + 1] = (ids[: i + 1] == ids[i]) & (ids[i] > 0)
    return mask
