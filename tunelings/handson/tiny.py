"""A chat model that is made in a second: a tokenizer of whole words with a chat template, and a very small Llama.

The checks of 3.12 train it, and so does `tunelings.handson.processes`. Nothing is read from a disk or a network.
"""

from __future__ import annotations

import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

WORDS = [
    "kiwi", "plum", "fig", "lime", "pear", "date", "melon", "guava", "quince", "papaya", "mango", "peach",
    "apple", "grape", "olive", "cherry", "lemon", "berry", "nut", "banana", "apricot", "currant", "orange", "medlar",
]  # fmt: skip
HEADERS = ["\n", "system", "user", "assistant", "be", "brief"]
SPECIAL = ["<s>", "<|im_start|>", "<|im_end|>", "<pad>"]
END = "<|im_end|>"
IDS = {token: number for number, token in enumerate(["<unk>", *WORDS, *HEADERS, *SPECIAL])}

# As SmolLM2's: a system turn is put in where there is none, and a newline follows each end token.
TEMPLATE = """{% if messages[0]['role'] != 'system' %}<|im_start|>system
be brief<|im_end|>
{% endif %}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


def chat_tokenizer(pad_token: str | None = END) -> PreTrainedTokenizerFast:
    """Words, newlines and special tokens, one token each; called on a text it puts <s> before it, as Llama's does.

    Padding is by default with the end token, as SmolLM2's is; None leaves it without.
    """
    backend = Tokenizer(models.WordLevel(IDS, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(r"\n|\w+|[^\w\s]"), behavior="removed", invert=True)
    backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", IDS["<s>"])])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token=END,
        pad_token=pad_token,
        extra_special_tokens=[token for token in SPECIAL if token not in ("<s>", END, pad_token)],
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def llama(
    seed: int,
    *,
    hidden: int = 16,
    layers: int = 1,
    noise: float | None = None,
    dtype: torch.dtype = torch.float32,
    attention_dropout: float = 0.0,
) -> LlamaForCausalLM:
    """A Llama with random weights, the same for the same seed, in eval mode.

    `noise` is the standard deviation of its matrices (default: Llama's own, 0.02).
    """
    config = LlamaConfig(
        vocab_size=len(IDS),
        hidden_size=hidden,
        intermediate_size=3 * hidden // 2,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        initializer_range=noise or 0.02,
        attention_dropout=attention_dropout,
        bos_token_id=IDS["<s>"],
        eos_token_id=IDS[END],
        pad_token_id=None,
    )
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    model = LlamaForCausalLM(config).to(dtype).eval()
    torch.set_rng_state(state)
    return model
