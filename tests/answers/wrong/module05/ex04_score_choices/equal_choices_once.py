# names: equal-choices-merged
# breaks: "One Python float for each choice."

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
    scores = {}
    with _reading(model):
        for choice, ids in zip(choices, choice_ids):
            row = torch.tensor([prompt_ids + ids], device=device)
            log_p = model(input_ids=row).logits[0, len(prompt_ids) - 1 : -1].float().log_softmax(-1)
            picked = log_p.gather(1, row[0, len(prompt_ids) :, None])
            scores[choice] = (picked.mean() if normalize else picked.sum()).item()
    return list(scores.values())
