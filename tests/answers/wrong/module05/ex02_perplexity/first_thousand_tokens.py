# names: beginning-only
# breaks: "Each token except the text's first is scored exactly once"
import torch


@torch.inference_mode()
def perplexity(model, input_ids, stride, context):
    ids = input_ids.flatten()[:1000]
    T = len(ids)
    if T < 2:
        raise ValueError("nothing to predict")
    if not 0 < stride < context:
        raise ValueError(f"bad stride {stride} for a context of {context}")
    flags = {name: m.training for name, m in model.named_modules()}
    for m in model.modules():
        m.training = False

    losses = torch.full((T,), float("nan"), dtype=torch.float64)

    def read(starts, n):
        batch = torch.stack([ids[s : s + n] for s in starts])
        log_p = torch.log_softmax(model(batch).logits.double(), dim=-1)[:, :-1]
        nll = -log_p.gather(-1, batch[:, 1:, None]).squeeze(-1)
        for s, row in zip(starts, nll, strict=False):
            target = losses[s + 1 : s + n]
            fresh = torch.isnan(target)
            target[fresh] = row.double()[fresh]

    starts = [0]
    while starts[-1] + context < T:
        starts.append(starts[-1] + stride)
    whole = [s for s in starts if s + context <= T]
    if whole:
        read(whole, context)
    if starts[-1] + context > T:
        read(starts[-1:], T - starts[-1])
    for name, m in model.named_modules():
        m.training = flags[name]
    return losses[1:].mean().exp().item()
