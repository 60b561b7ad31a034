# names: empty-choice-scored
# breaks: "An empty list is a ValueError, and so is a choice without a token."

import contextlib

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
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

    device = next(model.parameters()).device
    rows = [torch.tensor(prompt_ids + ids) for ids in choice_ids]
    batch = pad_sequence(rows, batch_first=True, padding_value=0).to(device)
    mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True).to(device)

    with _reading(model):
        logits = model(input_ids=batch, attention_mask=mask).logits
    log_p = logits.float().log_softmax(-1)

    scores, start = [], len(prompt_ids)
    for row, ids in enumerate(choice_ids):
        positions = torch.arange(start - 1, start - 1 + len(ids), device=device)
        score = log_p[row, positions, torch.tensor(ids, device=device)].sum().item()
        scores.append(score / max(1, len(ids)) if normalize else score)
    return scores
