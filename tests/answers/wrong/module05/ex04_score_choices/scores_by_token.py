# names: unlisted
# breaks: "is the sum of log p over the tokens of the choice alone"
# The log-probabilities are stored by token, so a token that occurs twice in a choice counts once.
import torch


def score_choices(model, tokenizer, prompt, choices, *, normalize=True):
    start = tokenizer(prompt).input_ids
    endings = [tokenizer(choice, add_special_tokens=False).input_ids for choice in choices]
    if not endings or not all(endings):
        raise ValueError("no choices, or one without a token")
    modes = {module: module.training for module in model.modules()}
    model.eval()
    scores = []
    for ending in endings:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([start + ending], device=model.device)).logits[0]
        rows = logits[len(start) - 1 : -1].float().log_softmax(-1)
        by_token = {token: row[token].item() for token, row in zip(ending, rows, strict=True)}
        total = sum(by_token.values())
        scores.append(total / len(ending) if normalize else total)
    for module, training in modes.items():
        module.training = training
    return scores
