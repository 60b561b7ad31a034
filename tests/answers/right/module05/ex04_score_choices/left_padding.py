"""Padded on the left, with a mask and positions that start at the text: the choices all end in the last column."""

import torch
from torch.nn import functional as F


def score_choices(model, tokenizer, prompt, choices, *, normalize=True):
    head = tokenizer(prompt)["input_ids"]
    tails = [tokenizer(c, add_special_tokens=False)["input_ids"] for c in choices]
    if len(tails) == 0 or min(len(t) for t in tails) == 0:
        raise ValueError("nothing to score")
    width = len(head) + max(len(t) for t in tails)
    fill = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    ids = torch.full((len(tails), width), fill)
    mask = torch.zeros_like(ids)
    for row, tail in enumerate(tails):
        both = head + tail
        ids[row, -len(both) :] = torch.tensor(both)
        mask[row, -len(both) :] = 1
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    was = [m.training for m in model.modules()]
    model.eval()
    try:
        with torch.inference_mode():
            out = model(
                ids.to(model.device), attention_mask=mask.to(model.device), position_ids=positions.to(model.device)
            )
            loss = F.cross_entropy(
                out.logits[:, :-1].double().transpose(1, 2), ids[:, 1:].to(model.device), reduction="none"
            )
    finally:
        for m, flag in zip(model.modules(), was, strict=False):
            m.training = flag
    result = []
    for row, tail in enumerate(tails):
        total = -float(loss[row, -len(tail) :].sum())
        result.append(total / len(tail) if normalize else total)
    return result
