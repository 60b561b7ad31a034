# names: all-tokens-after-the-prompt
# breaks: "its probability after the prompt and the choice's earlier tokens"

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
    with _reading(model):
        log_p = model(input_ids=torch.tensor([prompt_ids], device=device)).logits[0, -1].float().log_softmax(-1)
    scores = []
    for ids in choice_ids:
        total = sum(log_p[token].item() for token in ids)
        scores.append(total / len(ids) if normalize else total)
    return scores
