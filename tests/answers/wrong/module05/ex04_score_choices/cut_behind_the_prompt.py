# names: encoded-together
# breaks: "the two texts are encoded separately."
# Prompt and choice are encoded together, and cut where the prompt alone would end.

import torch


def score_choices(model, tokenizer, prompt, choices, *, normalize=True):
    if len(choices) == 0:
        raise ValueError("no choices")
    before = tokenizer(prompt).input_ids
    after = [tokenizer(c, add_special_tokens=False).input_ids for c in choices]
    if any(len(a) == 0 for a in after):
        raise ValueError("a choice without tokens")
    device = next(model.parameters()).device
    modes = {name: m.training for name, m in model.named_modules()}
    out = []
    try:
        model.eval()
        with torch.inference_mode():
            for ids in after:
                whole = tokenizer(prompt + choices[len(out)]).input_ids
                row = torch.tensor([whole if len(whole) > len(before) else before + ids], device=device)
                logits = model(row).logits[0, len(before) - 1 : -1].double()
                picked = logits.gather(1, row[0, len(before) :, None])[:, 0] - logits.logsumexp(-1)
                out.append((picked.mean() if normalize else picked.sum()).item())
    finally:
        for name, m in model.named_modules():
            m.training = modes[name]
    return out
