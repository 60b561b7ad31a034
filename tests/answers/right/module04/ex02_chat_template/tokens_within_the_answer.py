"""A token counts if it lies within an answer and its end token."""

from typing import NamedTuple

from transformers import PreTrainedTokenizerBase


class Tokenized(NamedTuple):
    """A conversation as tokens; `assistant_mask` is 1 on what the assistant writes and 0 elsewhere."""

    input_ids: list[int]
    assistant_mask: list[int]


def render(
    messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase, add_generation_prompt: bool = False
) -> str:
    """Return the text that the tokenizer's own chat template makes of a conversation.

    Args:
        messages: dictionaries with `role` and `content`; at least one, else a ValueError.
        tokenizer: a tokenizer with a chat template.
        add_generation_prompt: whether the text ends with the header of an assistant's turn, for a model to
            write that turn. Training texts have no such ending: they already hold the assistant's turns.

    Returns:
        The text exactly as the template writes it, to the last space and line break.

    Neither the messages nor the tokenizer are changed.

    Method: https://huggingface.co/docs/transformers/chat_templating
    """
    if len(messages) == 0:
        raise ValueError("no messages")
    return tokenizer.apply_chat_template(list(messages), add_generation_prompt=add_generation_prompt, tokenize=False)


def tokenize(messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase) -> Tokenized:
    """Turn a conversation into token ids, and mark the ones to learn: the assistant's.

    Args:
        messages: as for `render`, with roles system, user and assistant. The first message is not the
            assistant's, and no content is empty.
        tokenizer: a fast tokenizer, with offsets and a chat template. The template only appends: the first
            messages render to the beginning of the whole text, and `add_generation_prompt=True` adds exactly
            the header of an assistant's turn, if the template has one. Each content is rendered unchanged. No
            token crosses the boundary of a content. Every assistant content is followed directly by
            `tokenizer.eos_token`, which no content contains.

    Returns:
        Two lists of ints, equally long:

        - `input_ids`: `tokenizer(text, add_special_tokens=False)` of the text that `render` gives without a
          generation prompt. The template writes the special tokens; no others are added.
        - `assistant_mask`: 1 at each token of each assistant content and at the end token directly after
          it. 0 everywhere else: at the other turns, including one that the template inserts itself, at all
          headers, and at what the template writes after the end token. With no assistant turn, all are 0.

    The template may mark the assistant's part with `{% generation %}` or not; the mask is the same, whatever
    the marks enclose. Neither the messages nor the tokenizer are changed.

    Method: https://huggingface.co/docs/transformers/chat_templating; offsets:
    https://huggingface.co/docs/transformers/main_classes/tokenizer
    """
    text = render(messages, tokenizer)
    learned = bytearray(len(text))
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(render(messages[:i], tokenizer, True))
            stop = text.index(tokenizer.eos_token, start) + len(tokenizer.eos_token)
            learned[start:stop] = b"\x01" * (stop - start)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    mask = [int(a < b and all(learned[a:b])) for a, b in encoded["offset_mapping"]]
    return Tokenized(list(encoded["input_ids"]), mask)
