# names: header-written-by-hand
# breaks: "1 at each token of each assistant content"
# The header is looked for as three tokens, of the one template that was tried.
from typing import NamedTuple


class Tokenized(NamedTuple):
    input_ids: list
    assistant_mask: list


def render(messages, tokenizer, add_generation_prompt=False):
    return tokenizer.apply_chat_template(messages, add_generation_prompt=add_generation_prompt, tokenize=False)


def tokenize(messages, tokenizer):
    ids = tokenizer(render(messages, tokenizer), add_special_tokens=False)["input_ids"]
    header = tokenizer("<|im_start|>assistant\n", add_special_tokens=False)["input_ids"]
    mask, inside = [0] * len(ids), False
    for k in range(len(ids)):
        if inside:
            mask[k] = 1
            inside = ids[k] != tokenizer.eos_token_id
        elif ids[max(0, k - len(header) + 1) : k + 1] == header:
            inside = True
    return Tokenized(ids, mask)
