# names: cache-of-other-choices
# breaks: "It doesn't depend on the other choices"
# The prompt's cache is used again for each choice, and still holds the choices before.

import contextlib

import torch
from torch import nn
from transformers import PreTrainedTokenizerBase


@contextlib.contextmanager
def _reading(model):
    flags = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, flag in flags:
            module.training = flag


def score_choices(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    choices: list[str],
    *,
    normalize: bool = True,
) -> list[float]:
    if not choices:
        raise ValueError("no choices")
    prompt_ids = tokenizer(prompt).input_ids
    choice_ids = [tokenizer(choice, add_special_tokens=False).input_ids for choice in choices]
    if not all(choice_ids):
        raise ValueError("a choice without a token")

    device = next(model.parameters()).device
    scores = []
    with _reading(model):
        start = model(input_ids=torch.tensor([prompt_ids], device=device), use_cache=True)
        cache, last = start.past_key_values, start.logits[0, -1:]
        for ids in choice_ids:
            tokens = torch.tensor(ids, device=device)
            logits = last
            if len(ids) > 1:
                more = model(input_ids=tokens[None, :-1], past_key_values=cache, use_cache=True)
                logits = torch.cat([last, more.logits[0]])
            log_p = logits.float().log_softmax(-1).gather(1, tokens[:, None])
            scores.append((log_p.mean() if normalize else log_p.sum()).item())
    return scores
