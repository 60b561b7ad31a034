# names: last-answer-only
# breaks: "1 at each token of each assistant content"
# Everything before the last message is the prompt.
from typing import NamedTuple


class Tokenized(NamedTuple):
    input_ids: list
    assistant_mask: list


def render(messages, tokenizer, add_generation_prompt=False):
    return tokenizer.apply_chat_template(messages, add_generation_prompt=add_generation_prompt, tokenize=False)


def tokenize(messages, tokenizer):
    ids = tokenizer(render(messages, tokenizer), add_special_tokens=False)["input_ids"]
    if messages[-1]["role"] != "assistant":
        return Tokenized(ids, [0] * len(ids))
    prompt = tokenizer(render(messages[:-1], tokenizer, True), add_special_tokens=False)["input_ids"]
    end = ids.index(tokenizer.eos_token_id, len(prompt))
    return Tokenized(ids, [int(len(prompt) <= k <= end) for k in range(len(ids))])
