# names: padding-counted
# breaks: "in a batch of different lengths a choice gets the score that it gets alone (up to rounding)."
import torch


def score_choices(model, tokenizer, prompt, choices, *, normalize=True):
    p = tokenizer(prompt).input_ids
    cs = [tokenizer(c, add_special_tokens=False).input_ids for c in choices]
    if not cs or any(len(c) == 0 for c in cs):
        raise ValueError("empty")
    n = max(map(len, cs))
    batch = torch.zeros(len(cs), len(p) + n, dtype=torch.long)
    for i, c in enumerate(cs):
        batch[i, : len(p) + len(c)] = torch.tensor(p + c)
    modes = {m: m.training for m in model.modules()}
    model.eval()
    with torch.no_grad():
        logp = torch.log_softmax(model(batch).logits.float(), -1)
    for m, t in modes.items():
        m.training = t
    picked = logp[:, len(p) - 1 : -1].gather(-1, batch[:, len(p) :, None])[..., 0]
    return (picked.mean(1) if normalize else picked.sum(1)).tolist()
