# names: scores-rounded
# breaks: "The score is the sum of log p over the tokens of the choice alone"
from contextlib import contextmanager

import torch


@contextmanager
def eval_mode(model):
    training = {m for m in model.modules() if m.training}
    model.eval()
    yield
    for m in training:
        m.training = True


def score_choices(model, tokenizer, prompt, choices, *, normalize=True):
    if not choices:
        raise ValueError("choices is empty")
    encoded = {}
    for choice in choices:
        encoded[choice] = tokenizer(choice, add_special_tokens=False).input_ids
        if not encoded[choice]:
            raise ValueError(f"{choice!r} has no token")
    context = tokenizer(prompt).input_ids
    scores = {}
    with torch.no_grad(), eval_mode(model):
        for choice, tokens in encoded.items():
            logits = model(torch.tensor([context + tokens], device=model.device)).logits[0].to(torch.float32)
            score = 0.0
            for position, token in enumerate(tokens, start=len(context) - 1):
                score += (logits[position, token] - logits[position].logsumexp(0)).item()
            scores[choice] = round(score / len(tokens) if normalize else score, 4)
    return [scores[choice] for choice in choices]
