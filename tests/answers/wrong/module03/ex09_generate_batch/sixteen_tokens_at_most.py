# names: unlisted
# breaks: "or after `max_new_tokens`"
# No answer gets longer than 16 tokens, whatever was asked for.
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
    from contextlib import ExitStack

    from transformers import GenerationConfig

    if len(conversations) < 1:
        raise ValueError("an empty list of conversations")
    end = tokenizer.eos_token_id
    rows = []
    for messages in conversations:
        text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        rows.append(torch.tensor(tokenizer.encode(text, add_special_tokens=False)))
    ids = torch.nn.utils.rnn.pad_sequence([row.flip(0) for row in rows], batch_first=True, padding_value=end).flip(1)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True).flip(1)
    plan = GenerationConfig(
        do_sample=False,
        num_beams=1,
        max_new_tokens=min(max_new_tokens, 16),
        eos_token_id=end,
        pad_token_id=end,
        use_cache=True,
    )
    with ExitStack() as stack:
        for module in model.modules():
            stack.callback(setattr, module, "training", module.training)
        model.eval()
        with torch.inference_mode():
            new = model.generate(ids.to(model.device), attention_mask=mask.to(model.device), generation_config=plan)
    new = new[:, ids.shape[1] :]
    ended = (new == end).cumsum(dim=1) > 0
    return [tokenizer.decode(row[~stop], skip_special_tokens=True) for row, stop in zip(new, ended)]
