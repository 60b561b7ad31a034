"""3.09 · Generate in a batch: answer many conversations at once, each as if it were alone.

A decoder continues from the last column of the batch, so every prompt must end in the last column.
"""

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase


def generate_batch(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    conversations: list[list[dict[str, str]]],
    *,
    max_new_tokens: int = 32,
) -> list[str]:
    """Return the model's next turn in each conversation.

    Args:
        model: a transformers causal language model, with `generate`, in any mode. Its `generation_config` may ask
            for sampling, or name different end and padding tokens from the tokenizer's, or none: none of this has
            any effect here. It asks for neither beams nor penalties.
        tokenizer: a fast tokenizer with a chat template. `tokenizer.eos_token` ends a turn. It may have no padding
            token, or one that is also the end token, and any `padding_side`.
        conversations: each a list of messages (`role` and `content`) of its own length. An empty list of
            conversations is a ValueError.
        max_new_tokens: the largest number of tokens of an answer, including the end token; at least 1.

    Returns:
        One text for each conversation, in their order: only the new tokens, without the prompt and without special
        tokens, as `tokenizer.decode` gives them. A text ends before the end token, or after `max_new_tokens`
        tokens.

    A prompt is the conversation as the template renders it with the generation prompt. The template writes the
    special tokens; the tokenizer adds none. All conversations run through the model as one batch, and once every
    answer has ended, the model does not run forward again. Decoding is greedy. With a model whose attention mask
    hides padding, the answer to a conversation does not depend on the others in its batch.

    The model is in eval mode while it runs. On return, each submodule's mode, the model's `generation_config`, the
    tokenizer's settings and vocabulary, and the conversations are what they were on entry.

    Method: https://huggingface.co/docs/transformers/llm_tutorial (padding side) and
    https://huggingface.co/docs/transformers/chat_templating (generation prompt)
    """
    # TODO: render the prompts, pad on the left with a mask, generate greedily, decode what is new.
    raise NotImplementedError("TODO")
