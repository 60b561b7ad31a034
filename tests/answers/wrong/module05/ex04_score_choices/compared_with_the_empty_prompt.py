# names: prior-subtracted
# breaks: "The score is the sum of log p over the tokens of the choice alone"
# The score without the prompt is subtracted, as some harnesses do: another score than the one that is asked for.
import torch


def total(model, before, tokens):
    with torch.no_grad():
        logp = model(torch.tensor([before + tokens])).logits[0, len(before) - 1 : -1].float().log_softmax(-1)
    return logp.gather(1, torch.tensor(tokens)[:, None]).sum().item()


def score_choices(model, tokenizer, prompt, choices, *, normalize=True):
    tails = [tokenizer(c, add_special_tokens=False).input_ids for c in choices]
    if not tails or not all(tails):
        raise ValueError("empty")
    modes = {m: m.training for m in model.modules()}
    model.eval()
    head, nothing = tokenizer(prompt).input_ids, tokenizer("").input_ids
    scores = []
    for t in tails:
        score = total(model, head, t)
        scores.append(score - total(model, nothing, t) if normalize else score)
    for m, t in modes.items():
        m.training = t
    return scores
