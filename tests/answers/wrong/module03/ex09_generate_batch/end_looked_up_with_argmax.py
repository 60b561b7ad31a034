# names: no-end-found
# breaks: "A text ends before the end token, or after `max_new_tokens` tokens"
# argmax is 0 where there is no end token: an answer that is cut off comes back empty
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
    if not conversations:
        raise ValueError("no conversations")
    prompts = [tokenizer.apply_chat_template(c, tokenize=False, add_generation_prompt=True) for c in conversations]
    rows = [tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    longest = max(len(row) for row in rows)
    pad = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    ids = torch.tensor([[pad] * (longest - len(row)) + row for row in rows], device=model.device)
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=model.device)
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        output = model.generate(
            input_ids=ids,
            attention_mask=mask,
            do_sample=False,
            max_new_tokens=max_new_tokens,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=pad,
        )
    finally:
        for module, mode in modes.items():
            module.training = mode
    new = output[:, longest:]
    ends = (new == tokenizer.eos_token_id).int().argmax(dim=1).tolist()
    return [tokenizer.decode(row[:end], skip_special_tokens=True) for row, end in zip(new, ends)]
