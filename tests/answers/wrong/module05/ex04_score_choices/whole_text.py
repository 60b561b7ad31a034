# names: encoded-together
# breaks: "the two texts are encoded separately."
import torch


def score_choices(model, tokenizer, prompt, choices, *, normalize=True):
    if not choices or "" in choices:
        raise ValueError("empty")
    modes = {m: m.training for m in model.modules()}
    model.eval()
    n = len(tokenizer(prompt).input_ids)
    out = []
    for choice in choices:
        ids = torch.tensor([tokenizer(prompt + choice).input_ids])
        with torch.no_grad():
            logp = model(ids).logits[0].float().log_softmax(-1)
        picked = logp[:-1].gather(1, ids[0, 1:, None])[n - 1 :, 0]
        out.append((picked.mean() if normalize else picked.sum()).item())
    for m, t in modes.items():
        m.training = t
    return out
