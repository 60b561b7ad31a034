"""The prompt is read once and its keys and values are kept; each choice goes on from a copy of them."""

import copy

import torch


@torch.no_grad()
def score_choices(model, tokenizer, prompt, choices, *, normalize=True):
    endings = [tokenizer.encode(choice, add_special_tokens=False) for choice in choices]
    if not endings or not all(endings):
        raise ValueError("a choice needs a token")
    modes = {name: module.training for name, module in model.named_modules()}
    model.eval()
    prefix = model(input_ids=torch.tensor([tokenizer.encode(prompt)], device=model.device), use_cache=True)
    last = prefix.logits[0, -1:]
    name = "cache" if "cache" in prefix else "past_key_values"  # Its name in older releases of transformers 5.
    scores = []
    for ending in endings:
        rows = last
        if len(ending) > 1:
            cache = {name: copy.deepcopy(prefix[name])}
            ids = torch.tensor([ending[:-1]], device=model.device)
            rows = torch.cat([last, model(input_ids=ids, **cache, use_cache=True).logits[0]])
        picked = rows.float().log_softmax(-1)[torch.arange(len(ending)), torch.tensor(ending)]
        scores.append(float(picked.mean()) if normalize else float(picked.sum()))
    for name, module in model.named_modules():
        module.training = modes[name]
    return scores
