"""The library's own loss, with -100 where the prompt stands; one choice at a time."""

import torch


def score_choices(model, tokenizer, prompt, choices, *, normalize=True):
    if not choices:
        raise ValueError("no choices")
    before = tokenizer(prompt, return_tensors="pt").input_ids.to(model.device)
    modes = [(module, module.training) for module in model.modules()]
    scores = []
    try:
        model.eval()
        for choice in choices:
            ids = tokenizer(choice, add_special_tokens=False).input_ids
            if len(ids) == 0:
                raise ValueError(f"an empty choice in {choices}")
            own = torch.tensor([ids], device=model.device)
            labels = torch.cat([torch.full_like(before, -100), own], dim=1)
            with torch.no_grad():
                mean = -model(input_ids=torch.cat([before, own], dim=1), labels=labels).loss.item()
            scores.append(mean if normalize else mean * len(ids))
    finally:
        for module, training in modes:
            module.training = training
    return scores
