# names: all-marked-without-an-answer
# breaks: "With no assistant turn, all are 0."
# A text without an answer is learned as a whole, as in pre-training.

from collections import namedtuple

Tokenized = namedtuple("Tokenized", "input_ids assistant_mask")


def render(messages, tokenizer, add_generation_prompt=False):
    if len(messages) == 0:
        raise ValueError("nothing to render")
    options = {"tokenize": False}
    if add_generation_prompt:
        options["add_generation_prompt"] = True
    return tokenizer.apply_chat_template(messages, **options)


def tokenize(messages, tokenizer):
    def count(turns, prompt):
        return len(tokenizer.encode(render(turns, tokenizer, prompt), add_special_tokens=False))

    ids = tokenizer.encode(render(messages, tokenizer), add_special_tokens=False)
    mask = [0 for _ in ids]
    if all(turn["role"] != "assistant" for turn in messages):
        return Tokenized(ids, [1 for _ in ids])
    for n, turn in enumerate(messages):
        if turn["role"] != "assistant":
            continue
        position = count(messages[:n], True)
        while ids[position] != tokenizer.eos_token_id:
            mask[position] = 1
            position += 1
        mask[position] = 1
    return Tokenized(ids, mask)
