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
    # BEGIN SOLUTION: prompt ids + choice ids, one batch padded on the right, log p of the choice's tokens.
    prompt_ids = tokenizer(prompt).input_ids
    endings = [tokenizer(choice, add_special_tokens=False).input_ids for choice in choices]
    if not endings or [] in endings:
        raise ValueError(f"every choice needs at least one token: {choices}")
    # Padding on the right needs no mask and may be any token: a causal model never looks ahead.
    rows = [torch.tensor(prompt_ids + ending) for ending in endings]
    ids = pad_sequence(rows, batch_first=True).to(model.device)

    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            logits = model(input_ids=ids).logits
    finally:  # Even if the model raises.
        for module, training in modes.items():
            module.training = training

    log_probs = logits[:, :-1].float().log_softmax(dim=-1)  # Position t predicts the token at t + 1.
    log_probs = log_probs.gather(2, ids[:, 1:].unsqueeze(2))
    first = len(prompt_ids) - 1
    own = [log_probs[i, first : first + len(ending)] for i, ending in enumerate(endings)]
    return [(scores.mean() if normalize else scores.sum()).item() for scores in own]
    # END SOLUTION
