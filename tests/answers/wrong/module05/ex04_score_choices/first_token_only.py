# names: first-token-of-a-choice-only
# breaks: "The score is the sum of log p over the tokens of the choice alone"
# Only the first token of each choice is looked at: enough for "yes" and "no", and for nothing longer.
import torch


def score_choices(model, tokenizer, prompt, choices, *, normalize=True):
    firsts = [tokenizer(c, add_special_tokens=False).input_ids[:1] for c in choices]
    if not firsts or [] in firsts:
        raise ValueError("empty")
    modes = {m: m.training for m in model.modules()}
    model.eval()
    with torch.no_grad():
        logits = model(torch.tensor([tokenizer(prompt).input_ids])).logits[0, -1].float()
    for m, t in modes.items():
        m.training = t
    logp = logits.log_softmax(-1)
    return [logp[token].item() for (token,) in firsts]
