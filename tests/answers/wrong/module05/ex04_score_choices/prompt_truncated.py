# names: truncated-by-the-tokenizer
# breaks: "A choice is read as the ids `tokenizer(prompt).input_ids`"
# A prompt longer than the tokenizer's model_max_length loses its end.
"""5.04 · Score choices: get an answer from a language model without generating text.

You give it the possible answers, and it says how probable each is as the continuation of the prompt.
"""

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedTokenizerBase


def score_choices(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    choices: list[str],
    *,
    normalize: bool = True,
) -> list[float]:
    """Return the log-probability of each choice as the continuation of the prompt, in the choices' order.

    A choice is read as the ids `tokenizer(prompt).input_ids` (with the special tokens that the tokenizer puts
    in front) followed by `tokenizer(choice, add_special_tokens=False).input_ids`; the two texts are encoded
    separately. Nothing is added or stripped: the caller puts the space into the choice (" positive"). The score
    is the sum of log p over the tokens of the choice alone, where p is the softmax of the logits that predict the
    token: its probability after the prompt and the choice's earlier tokens.

    Args:
        model: a causal language model of transformers, on any device. It runs in eval mode and without
            recording gradients. On return, the `training` flag of each submodule, the grad mode and the
            parameters are what they were on entry.
        tokenizer: it adds no token after a text. It may have no padding token, and any `padding_side`; its
            settings and vocabulary are not changed.
        prompt: a text of at least one token, counting special ones.
        choices: the texts to compare; not changed. An empty list is a ValueError, and so is a choice without
            a token.
        normalize: whether the sum is divided by the number of the choice's tokens, which gives the mean
            log-probability of a token. Otherwise it is the sum.

    Returns:
        One Python float for each choice. It doesn't depend on the other choices: in a batch of different
        lengths a choice gets the score that it gets alone (up to rounding). The log-softmax is computed in
        float32 or float64, whatever the logits' dtype, so that scores are finite for logits that are far apart.

    The choices may go through the model together or one by one.

    Method: Brown et al., Language Models are Few-Shot Learners (2020), section 2.4,
    https://arxiv.org/abs/2005.14165
    """
    if not choices:
        raise ValueError("no choices")
    prompt_ids = tokenizer(prompt, truncation=True).input_ids
    choice_ids = [tokenizer(choice, add_special_tokens=False).input_ids for choice in choices]
    if not all(choice_ids):
        raise ValueError("a choice without tokens")
    device = next(model.parameters()).device
    modes = [(module, module.training) for module in model.modules()]
    model.eval()

    try:
        with torch.no_grad():
            rows = [torch.tensor(prompt_ids + ids) for ids in choice_ids]
            batch = pad_sequence(rows, batch_first=True, padding_value=0).to(device)
            lengths = torch.tensor([len(row) for row in rows])
            mask = (torch.arange(batch.shape[1]) < lengths[:, None]).long().to(device)
            logits = model(input_ids=batch, attention_mask=mask).logits
            scores = []
            for row, ids in enumerate(choice_ids):
                start = len(prompt_ids)
                log_p = logits[row, start - 1 : start - 1 + len(ids)].float().log_softmax(-1)
                picked = log_p[range(len(ids)), ids]
                scores.append((picked.mean() if normalize else picked.sum()).item())
    finally:
        for module, mode in modes:
            module.training = mode
    return scores
