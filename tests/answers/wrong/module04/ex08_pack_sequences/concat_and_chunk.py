# names: examples-cut
# breaks: "Every example is whole, in exactly one pack."
import torch


def pack(examples, max_length, *, pad_token_id, too_long="error"):
    if not examples:
        raise ValueError("no examples")
    ids, labels, positions, numbers = [], [], [], []
    for n, example in enumerate(examples, 1):
        if not example["input_ids"]:
            raise ValueError("empty example")
        if len(example["input_ids"]) > max_length and too_long == "error":
            raise ValueError(f"{len(example['input_ids'])} tokens")
        ids += example["input_ids"]
        labels += [-100] + example["labels"][1:]
        positions += list(range(len(example["input_ids"])))
        numbers += [n] * len(example["input_ids"])
    out = []
    for k in range(0, len(ids), max_length):
        part = slice(k, k + max_length)
        gap = max_length - len(ids[part])
        out.append(
            {
                "input_ids": ids[part] + [pad_token_id] * gap,
                "labels": labels[part] + [-100] * gap,
                "position_ids": positions[part] + [0] * gap,
                "sequence_ids": numbers[part] + [0] * gap,
            }
        )
    return out


def attention_mask(pack):
    s = torch.tensor(pack["sequence_ids"])
    return ((s[:, None] == s[None]) & (s[:, None] > 0)).tril()
