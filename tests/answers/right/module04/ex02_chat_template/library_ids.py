"""Ids from apply_chat_template itself, which adds no special tokens; spans of characters; a namespace comes back."""

from types import SimpleNamespace


def render(messages, tokenizer, add_generation_prompt=False):
    return tokenizer.apply_chat_template(
        list(messages), add_generation_prompt=add_generation_prompt, tokenize=False, continue_final_message=False
    )


def tokenize(messages, tokenizer):
    encoded = tokenizer.apply_chat_template(
        messages, tokenize=True, return_dict=True, tokenizer_kwargs={"return_offsets_mapping": True}
    )
    text = render(messages, tokenizer)
    letters = bytearray(len(text))
    for index in range(len(messages)):
        if messages[index]["role"] == "assistant":
            start = len(render(messages[:index], tokenizer, add_generation_prompt=True))
            end = start + len(messages[index]["content"]) + len(tokenizer.eos_token)
            letters[start:end] = b"\x01" * (end - start)
    mask = [int(any(letters[first:last])) for first, last in encoded["offset_mapping"]]
    return SimpleNamespace(input_ids=list(encoded["input_ids"]), assistant_mask=mask)
