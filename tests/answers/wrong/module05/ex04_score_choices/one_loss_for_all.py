# names: one-loss-for-all
# breaks: "It doesn't depend on the other choices"

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
    if not all(choice_ids):
        raise ValueError("a choice without a token")

    device = next(model.parameters()).device
    rows = [torch.tensor(prompt_ids + ids) for ids in choice_ids]
    batch = pad_sequence(rows, batch_first=True, padding_value=0).to(device)
    mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True).to(device)

    labels = batch.clone()
    labels[:, : len(prompt_ids)] = -100
    labels[mask == 0] = -100
    with _reading(model):
        loss = model(input_ids=batch, attention_mask=mask, labels=labels).loss.item()
    return [-loss if normalize else -loss * len(ids) for ids in choice_ids]
