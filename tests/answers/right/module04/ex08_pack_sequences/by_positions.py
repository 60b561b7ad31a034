"""Puts whole examples by the lengths alone, then labels by position: -100 wherever the position is 0."""

from torch import BoolTensor, arange, tensor


def first_fit_decreasing(lengths, size):
    content = []
    for index, length in sorted(enumerate(lengths), key=lambda pair: pair[1], reverse=True):
        for one in content:
            if sum(lengths[i] for i in one) + length <= size:
                one.append(index)
                break
        else:
            content.append([index])
    return content


def pack(examples, max_length, *, pad_token_id, too_long="error"):
    cut = slice(None, max_length) if too_long == "truncate" else slice(None)
    data = [(example["input_ids"][cut], example["labels"][cut]) for example in examples]
    lengths = [len(ids) for ids, _ in data]
    if not lengths or not all(lengths):
        raise ValueError(f"every example needs a token; lengths {lengths}")
    for length in lengths:
        if length > max_length:
            raise ValueError(f"{length} tokens are more than {max_length}")
    packs = []
    for content in first_fit_decreasing(lengths, max_length):
        entries = []
        for number, index in enumerate(content, 1):
            entries += [(t, y, p, number) for p, (t, y) in enumerate(zip(*data[index], strict=True))]
        entries += [(pad_token_id, -100, 0, 0)] * (max_length - len(entries))
        entries = [(t, y if p > 0 else -100, p, s) for t, y, p, s in entries]
        columns = map(list, zip(*entries, strict=True))
        packs.append(dict(zip(("input_ids", "labels", "position_ids", "sequence_ids"), columns, strict=True)))
    return packs


def attention_mask(pack) -> BoolTensor:
    ids = tensor(pack["sequence_ids"])
    same = ids.view(-1, 1) == ids
    return same & (ids > 0) & (arange(len(ids)).view(-1, 1) >= arange(len(ids)))
