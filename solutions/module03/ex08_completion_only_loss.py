"""3.08 · Completion-only loss: learn the answer, and when to stop, but not the question.

A model learns from the tokens that count in its loss; the template decides where they are.
"""

import torch
import torch.nn.functional as F
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
    # BEGIN SOLUTION: encode the rendered text, label each answer and its end token, cut on the right.
    if not messages:
        raise ValueError("there are no messages")

    def encode(turns, **options):
        text = tokenizer.apply_chat_template(turns, tokenize=False, **options)
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    ids = encode(messages)
    labels = [IGNORE_INDEX] * len(ids)
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(encode(messages[:i], add_generation_prompt=True))  # The header is part of the prompt.
            end = ids.index(tokenizer.eos_token_id, start) + 1
            labels[start:end] = ids[start:end]
    ids, labels = ids[:max_length], labels[:max_length]
    if all(label == IGNORE_INDEX for label in labels):
        raise ValueError(f"no token of an assistant's turn is left within max_length={max_length}")
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}
    # END SOLUTION


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
    # BEGIN SOLUTION: pad each of the three lists on the right with its own value.
    longest = max(len(example["input_ids"]) for example in examples)  # max() of nothing is a ValueError.
    padding = {"input_ids": pad_token_id, "attention_mask": 0, "labels": IGNORE_INDEX}
    return {
        name: torch.tensor([example[name] + [value] * (longest - len(example[name])) for example in examples])
        for name, value in padding.items()
    }
    # END SOLUTION


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
    # BEGIN SOLUTION: shift by one, sum the losses of the labels that count, divide by their number.
    predictions, targets = logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
    total = F.cross_entropy(predictions, targets, reduction="sum")  # What is -100 is left out.
    return total / (targets != IGNORE_INDEX).sum().clamp(min=1)
    # END SOLUTION
