# names: off-by-one
# breaks: "where p is the softmax of the logits that predict the token"
import torch


def score_choices(model, tokenizer, prompt, choices, *, normalize=True):
    context = tokenizer(prompt).input_ids
    if not choices:
        raise ValueError("no choices")
    state = {m: m.training for m in model.modules()}
    model.eval()
    scores = []
    for choice in choices:
        tokens = tokenizer(choice, add_special_tokens=False).input_ids
        if not tokens:
            raise ValueError("empty choice")
        with torch.no_grad():
            logits = model(torch.tensor([context + tokens])).logits[0].float()
        logp = torch.log_softmax(logits, dim=-1)
        total = sum(logp[len(context) + i, token].item() for i, token in enumerate(tokens))
        scores.append(total / len(tokens) if normalize else total)
    for m, t in state.items():
        m.training = t
    return scores
