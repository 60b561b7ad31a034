# names: one-token-of-each-letter
# breaks: "1 at each token of each assistant content"
# char_to_token gives the first token of a letter that has several.

from typing import NamedTuple

from transformers import PreTrainedTokenizerBase


class Tokenized(NamedTuple):
    input_ids: list[int]
    assistant_mask: list[int]


def render(
    messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase, add_generation_prompt: bool = False
) -> str:
    if not messages:
        raise ValueError("no messages")
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=add_generation_prompt)


def tokenize(messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase) -> Tokenized:
    text = render(messages, tokenizer)
    encoded = tokenizer(text, add_special_tokens=False)
    mask = [0] * len(encoded["input_ids"])
    for i, message in enumerate(messages):
        if message["role"] == "assistant":
            start = len(render(messages[:i], tokenizer, add_generation_prompt=True))
            for char in range(start, start + len(message["content"]) + len(tokenizer.eos_token)):
                token = encoded.char_to_token(char)
                if token is not None:
                    mask[token] = 1
    return Tokenized(encoded["input_ids"], mask)
