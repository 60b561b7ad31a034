# names: bytes-for-characters
# breaks: "for each assistant's content"
# bytes are counted, offsets are characters: after a question with é or 日 the start is too late
"""3.08 · Completion-only loss: learn the answer, and when to stop, but not the question.

A model learns from the tokens that count in its loss; the template decides where they are.
"""

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

IGNORE_INDEX = -100  # A label that does not count; `F.cross_entropy` leaves it out by default.


def build_example(
    messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> dict[str, list[int]]:
    """Turn one conversation into token ids, and labels that count only in the assistant's turns.

    Args:
        messages: dictionaries with `role` (system, user or assistant) and `content`. The first message is not the
            assistant's.
        tokenizer: a fast tokenizer with a chat template. The template only appends: the first messages render to
            the beginning of the whole text, and `add_generation_prompt=True` adds exactly the header of an
            assistant's turn, if the template has one. No token spans a header and a content. Every assistant's turn
            ends with `tokenizer.eos_token`, which appears in no content.
        max_length: the largest number of tokens, at least 1.

    Returns:
        A dictionary of three lists of Python ints, of the same length and without padding:

        - `input_ids`: `tokenizer(text, add_special_tokens=False)` of the text that the template renders without a
          generation prompt. The template writes the special tokens; no others are added.
        - `attention_mask`: 1 everywhere.
        - `labels`: the same ids, in the same places (the loss shifts them, not this function), for each assistant's
          content and for the end token directly after it, in every assistant's turn; an empty content has only its
          end token. -100 everywhere else: the other turns, all headers, and what the template writes after the end
          token.

    More tokens than `max_length` are cut on the right, whatever `tokenizer.truncation_side` says. If no label is
    left (all of them cut, no assistant's turn, no message), a ValueError is raised; if there are messages, its text
    contains `max_length`. Neither the messages nor the tokenizer's settings are changed.

    Method: https://huggingface.co/docs/transformers/chat_templating and
    https://huggingface.co/docs/trl/sft_trainer
    """
    text = tokenizer.apply_chat_template(messages, tokenize=False) if messages else ""
    spans = []
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            head = tokenizer.apply_chat_template(messages[:i], tokenize=False, add_generation_prompt=True)
            start = len(head.encode())
            spans.append((start, text.index(tokenizer.eos_token, start) + len(tokenizer.eos_token)))
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids = encoded["input_ids"][:max_length]
    labels = [IGNORE_INDEX] * len(ids)
    for k, (start, end) in enumerate(encoded["offset_mapping"][: len(ids)]):
        if any(first <= start and end <= last for first, last in spans):
            labels[k] = ids[k]
    if all(label == IGNORE_INDEX for label in labels):
        raise ValueError(f"no label is left of max_length={max_length} tokens")
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}


def collate(examples: list[dict[str, list[int]]], pad_token_id: int) -> dict[str, Tensor]:
    """Put examples of different lengths into one batch, padded on the right to the longest.

    Args:
        examples: as `build_example` returns them; not changed. An empty list is a ValueError.
        pad_token_id: what fills `input_ids`. It may also be the id of the end token, as in many tokenizers.

    Returns:
        `input_ids`, `attention_mask` and `labels`, int64, each `[B, T]` with T the longest length. The padding of
        the three is `pad_token_id`, 0 and -100. The lengths alone decide what is padding: a token of an example
        that equals `pad_token_id` keeps its mask and its label.
    """
    if not examples:
        raise ValueError("no examples")
    fills = {"input_ids": pad_token_id, "attention_mask": 0, "labels": IGNORE_INDEX}
    return {
        key: torch.nn.utils.rnn.pad_sequence([torch.tensor(example[key]) for example in examples], True, fill)
        for key, fill in fills.items()
    }


def causal_lm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy of predicting each label from the position before it.

    Args:
        logits: `[B, T, V]`, of any floating dtype that holds the sums of all losses and of all logits; those at
            position t predict the token at t + 1. They need not be contiguous. They are finite; nan among those that
            count gives nan.
        labels: `[B, T]`, int64; each is a token id, or -100, which does not count.

    Returns:
        A scalar of the logits' dtype, computed in that or in float32: the mean over all labels of the batch that
        count, from position 1 on (nothing predicts position 0, whatever its label is). Each of them has the same
        weight, whichever row it is in. It is finite, even if logits are 1000 apart. If none counts (also if T is
        1), it is 0.

    The loss is attached to the graph of the logits, even if none counts; the gradient is then all zeros. Neither
    input is changed. You may use `F.cross_entropy`.

    Method: Radford et al., Improving Language Understanding by Generative Pre-Training (2018), equation 1,
    https://cdn.openai.com/research-covers/language-unsupervised/language_understanding_paper.pdf
    """
    shifted, targets = logits[:, :-1].float(), labels[:, 1:]
    counts = targets != IGNORE_INDEX
    kept, wanted = shifted[counts], targets[counts]
    losses = kept.logsumexp(dim=-1) - kept.gather(-1, wanted[:, None]).squeeze(-1)
    return (losses.sum() / max(len(wanted), 1)).to(logits.dtype)
