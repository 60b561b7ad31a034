# names: choices-changed
# breaks: "the texts to compare; not changed"
import torch


def score_choices(model, tokenizer, prompt, choices, *, normalize=True):
    if not choices:
        raise ValueError("there are no choices")
    prompt_ids = tokenizer(prompt)["input_ids"]
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    scores = []
    try:
        while choices:
            choice = choices.pop(0)
            choice_ids = tokenizer(choice, add_special_tokens=False)["input_ids"]
            if not choice_ids:
                raise ValueError("a choice has no token")
            ids = torch.tensor([prompt_ids + choice_ids], device=model.device)
            with torch.no_grad():
                logits = model(ids).logits[0, len(prompt_ids) - 1 : -1]
            log_probs = logits.float().log_softmax(-1)
            own = log_probs[torch.arange(len(choice_ids)), torch.tensor(choice_ids)]
            total = own.sum().item()
            scores.append(total / len(choice_ids) if normalize else total)
    finally:
        for module, training in modes:
            module.training = training
    return scores
