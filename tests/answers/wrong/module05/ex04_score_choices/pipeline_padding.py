# names: padding-side-taken-for-right
# breaks: "It may have no padding token, and any `padding_side`"
# tokenizer(padding=True) with whatever side the tokenizer has, and positions counted as if it were the right one.
import torch


def score_choices(model, tokenizer, prompt, choices, *, normalize=True):
    if not choices:
        raise ValueError("no choices")
    start = len(tokenizer(prompt).input_ids)
    endings = [tokenizer(c, add_special_tokens=False).input_ids for c in choices]
    if [] in endings:
        raise ValueError("empty choice")
    rows = [{"input_ids": tokenizer(prompt).input_ids + e} for e in endings]
    if tokenizer.pad_token is None:
        width = max(len(r["input_ids"]) for r in rows)
        ids = torch.tensor([r["input_ids"] + [0] * (width - len(r["input_ids"])) for r in rows])
        mask = None
    else:
        batch = tokenizer.pad(rows, return_tensors="pt")
        ids, mask = batch["input_ids"], batch["attention_mask"]
    modes = {m: m.training for m in model.modules()}
    model.eval()
    with torch.no_grad():
        logp = model(input_ids=ids, attention_mask=mask).logits.float().log_softmax(-1)
    for m, t in modes.items():
        m.training = t
    scores = []
    for i, e in enumerate(endings):
        picked = [logp[i, start - 1 + j, token].item() for j, token in enumerate(e)]
        scores.append(sum(picked) / len(picked) if normalize else sum(picked))
    return scores
