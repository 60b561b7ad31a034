# names: masked-by-an-id
# breaks: "The score is the sum of log p over the tokens of the choice alone"

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
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id or 0
    rows = [torch.tensor(prompt_ids + ids) for ids in choice_ids]
    batch = pad_sequence(rows, batch_first=True, padding_value=pad).to(device)
    with _reading(model):
        log_p = model(input_ids=batch).logits.float().log_softmax(-1)
    start = len(prompt_ids)
    target = batch[:, start:]
    real = target != pad
    picked = log_p[:, start - 1 : -1].gather(2, target[..., None])[..., 0] * real
    total = picked.sum(-1)
    return (total / real.sum(-1).clamp(min=1) if normalize else total).tolist()
